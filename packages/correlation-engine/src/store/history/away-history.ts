import { SentinelError } from '@sentinel/service-kit/errors';
import type { HistoryEntry, HistoryStore } from './history-store.js';

/** Stands in until the history can be opened: it knows nothing, so that what the database was told stands, and takes nothing. */
export class AwayHistory implements HistoryStore {
  archivedThrough(): null {
    return null;
  }

  async refresh(): Promise<void> {}

  probe(): Promise<void> {
    return Promise.reject(away());
  }

  append(): Promise<void> {
    return Promise.reject(away());
  }

  read(): AsyncIterable<HistoryEntry> {
    return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(away()) }) };
  }

  async close(): Promise<void> {}
}

function away(): SentinelError {
  return new SentinelError({
    code: 'UNAVAILABLE',
    message: 'the history cannot be opened yet',
    retryAfterMs: 1_000,
    hint: 'Decisions go on; agents keep their records. See the log of the engine.',
  });
}
