import type { HistoryRecord } from './history-record.js';

/** Where a page of history goes on: before this place. */
export interface HistoryCursor {
  readonly segment: number;
  readonly offset: number;
}

export interface HistoryEntry {
  readonly at: HistoryCursor;
  readonly record: HistoryRecord;
}

/** The store of every record of every spool, in commit order per spool. */
export interface HistoryStore {
  /** Highest sequence that is durable. Records are appended in order, so everything below is durable too. */
  archivedThrough(node: string, spoolId: string): number;
  /**
   * Resolves once all are durable. MUST be called with records above archivedThrough, in order per spool.
   * After a failure nothing is known to be durable but what archivedThrough says.
   */
  append(records: readonly HistoryRecord[]): Promise<void>;
  /** Records that concern a device, newest first, committed at `startUs` or later, before `before`. */
  read(device: string, startUs: number, before: HistoryCursor | null): AsyncIterable<HistoryEntry>;
  close(): Promise<void>;
}
