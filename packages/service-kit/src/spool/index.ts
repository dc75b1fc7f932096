export type { EntryKind } from './entry.js';
export { type Ack, MAX_RECORD_BYTES, type Payloads, Spool, type SpoolOptions } from './spool.js';
export { type SpoolFolder, spoolFolder } from './spool-folder.js';
