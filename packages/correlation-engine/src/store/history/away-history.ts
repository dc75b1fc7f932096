import { SentinelError } from '@sentinel/service-kit/errors';
import type { HistoryEntry, HistoryStore } from './history-store.js';

/** Stands in until the history can be opened: it knows of each spool what the database was told, and takes nothing. */
export class AwayHistory implements HistoryStore {
  readonly #archived: ReadonlyMap<string, number>;

  constructor(spools: readonly { node: string; spool_id: string; archived_through: number }[]) {
    this.#archived = new Map(spools.map((row) => [`${row.spool_id}${row.node}`, row.archived_through]));
  }

  archivedThrough(node: string, spoolId: string): number {
    return this.#archived.get(`${spoolId}${node}`) ?? 0;
  }

  /** What the database was told is all that is known. */
  async refresh(): Promise<void> {}

  append(): Promise<void> {
    return Promise.reject(away());
  }

  // biome-ignore lint/correctness/useYield: there is nothing to give
  async *read(): AsyncGenerator<HistoryEntry> {
    throw away();
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
