import type { HistoryEntry, HistoryStore } from './history-store.js';

/** Stands in until the history can be opened: it knows nothing, so that what the database was told stands, and takes nothing. */
export class AwayHistory implements HistoryStore {
  readonly #why: Error;

  /** @param why it is away, as whoever asks is told */
  constructor(why: unknown) {
    this.#why = why instanceof Error ? why : new Error(String(why));
  }

  archivedThrough(): null {
    return null;
  }

  async refresh(): Promise<void> {}

  probe(): Promise<void> {
    return Promise.reject(this.#why);
  }

  append(): Promise<void> {
    return Promise.reject(this.#why);
  }

  read(): AsyncIterable<HistoryEntry> {
    return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(this.#why) }) };
  }

  async close(): Promise<void> {}
}
