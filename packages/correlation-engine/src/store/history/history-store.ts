import { SentinelError } from '@sentinel/service-kit/errors';
import type { HistoryRecord } from './history-record.js';

/** The place of a record, as the store that has it writes it: letters, digits and dots. */
export type HistoryCursor = string;

export interface HistoryEntry {
  readonly at: HistoryCursor;
  readonly record: HistoryRecord;
}

/** The store of every record of every spool, in commit order per spool. */
export interface HistoryStore {
  /**
   * Highest sequence that is known to be durable. Records are appended in order, so everything below is durable too.
   * null = the store has nothing of this spool, or has not said yet what it has.
   */
  archivedThrough(node: string, spoolId: string): number | null;
  /** Asks what another engine archived of a spool. After a failure nothing is known of it. */
  refresh(node: string, spoolId: string): Promise<void>;
  /** Resolves when the store answers. */
  probe(): Promise<void>;
  /**
   * Resolves once all are durable. MUST be called in order per spool, without a gap; a record that is there already changes nothing.
   * After a failure nothing is known to be durable but what archivedThrough says.
   */
  append(records: readonly HistoryRecord[]): Promise<void>;
  /**
   * Records that concern a device, newest first, committed at `startUs` or later, from `from` on, which is included.
   * @throws SentinelError INVALID_ARGUMENT for a cursor that this kind of store does not give
   */
  read(device: string, startUs: number, from: HistoryCursor | null): AsyncIterable<HistoryEntry>;
  close(): Promise<void>;
}

/** All of the history, as a replay reads it. */
export interface HistoryLog {
  /** The next records, of each spool in order and all in about the order of their commits; [] = no more for now. */
  next(): Promise<HistoryRecord[]>;
  close(): Promise<void>;
}

/** The numbers of a cursor. */
export function parseCursor(cursor: HistoryCursor, shape: RegExp): number[] {
  const parts = shape.exec(cursor);
  if (parts !== null) return parts.slice(1).map(Number);
  throw new SentinelError({
    code: 'INVALID_ARGUMENT',
    message: 'the page token is not one of this history',
    field: 'page_token',
    hint: 'Ask for the first page without a token.',
  });
}
