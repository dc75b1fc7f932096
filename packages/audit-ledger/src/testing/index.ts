/** Real ledgers for the tests of other packages. */
export { fillLog } from './prepared-log.js';
export { clientOf, eventOf } from './wire.js';
export { WriterProcess } from './writer-process.js';
