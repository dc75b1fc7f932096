import { format } from 'node:util';
import type { Logger } from './logging.js';

const LEVELS = { debug: 'debug', log: 'info', info: 'info', warn: 'warn', error: 'error' } as const;

/** What libraries and Node itself print becomes lines of the log: whoever collects the log of a service reads nothing else. */
export function logLibraryOutput(log: Logger): void {
  for (const method of Object.keys(LEVELS) as (keyof typeof LEVELS)[]) {
    console[method] = (...printed: unknown[]) => log[LEVELS[method]]({ from: 'a library' }, format(...printed));
  }
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => log.warn({ from: 'Node', warning: name }, message));
}
