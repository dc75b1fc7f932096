/**
 * Rows of a log as they lie in the cluster, and which of them count. A batch that was never committed leaves rows behind, and a
 * later batch covers the same seqs; it is always of a later epoch, since a writer whose batch fails commits nothing more. So each
 * position belongs to the row of the highest epoch, and what lies beyond the head's size to nobody.
 */
import { long } from '@sentinel/service-kit/cql/rows';
import type { types } from 'cassandra-driver';
import type { Cluster, Statement } from './cluster.js';
import { DETAILS_PER_BUCKET, ENTRIES_PER_BUCKET, HASHES_PER_BUCKET, parts } from './geometry.js';

export type RecordTable = 'leaves' | 'details';
export const PER_BUCKET = { leaves: ENTRIES_PER_BUCKET, details: DETAILS_PER_BUCKET } as const;

/** Where a row lies among those of its table. */
export interface RowKey {
  /** Position of its first item. */
  readonly first: number;
  readonly epoch: number;
}

export interface RecordRow extends RowKey {
  readonly batchId: Buffer;
  readonly record: Buffer;
}

export interface HashRow extends RowKey {
  readonly hashes: Buffer;
}

const COLUMNS = 'first_seq, epoch, batch_id, record';

export class LogRows {
  readonly cluster: Cluster;
  readonly log: string;
  /** Leaves of entries below may be gone, because they were pruned; it rises. */
  prunedLeaves = 0;

  constructor(cluster: Cluster, log: string) {
    this.cluster = cluster;
    this.log = log;
  }

  /** Rows that begin in [from, to), which may be of batches that were never committed; by position, then epoch. */
  async *records(table: RecordTable, from: number, to: number): AsyncGenerator<RecordRow> {
    const query = `SELECT ${COLUMNS} FROM ${table} WHERE log = ? AND bucket = ? AND first_seq >= ? AND first_seq < ?`;
    for (const part of parts(from, to, PER_BUCKET[table])) {
      const params = [this.log, part.bucket, long(part.from), long(part.to)];
      for await (const row of this.cluster.rows(query, params)) yield recordRow(row);
    }
  }

  async *hashes(level: number, from: number, to: number): AsyncGenerator<HashRow> {
    const query =
      'SELECT first, epoch, hashes FROM hashes WHERE log = ? AND level = ? AND bucket = ? AND first >= ? AND first < ?';
    for (const part of parts(from, to, HASHES_PER_BUCKET)) {
      const params = [this.log, level, part.bucket, long(part.from), long(part.to)];
      for await (const row of this.cluster.rows(query, params))
        yield { first: Number(row.first), epoch: Number(row.epoch), hashes: bytesOf(row.hashes) };
    }
  }

  /** Epochs of the rows that begin in [from, to). */
  async *epochs(from: number, to: number): AsyncGenerator<number> {
    const query = 'SELECT epoch FROM leaves WHERE log = ? AND bucket = ? AND first_seq >= ? AND first_seq < ?';
    for (const part of parts(from, to, ENTRIES_PER_BUCKET)) {
      const params = [this.log, part.bucket, long(part.from), long(part.to)];
      for await (const row of this.cluster.rows(query, params)) yield Number(row.epoch);
    }
  }

  insertRecord(table: RecordTable, { first, epoch, batchId, record }: RecordRow): Statement {
    const bucket = Math.floor(first / PER_BUCKET[table]);
    return {
      query: `INSERT INTO ${table} (log, bucket, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)`,
      params: [this.log, bucket, long(first), long(epoch), batchId, record],
    };
  }

  deleteRecord(table: RecordTable, { first, epoch }: RowKey): Statement {
    return {
      query: `DELETE FROM ${table} WHERE log = ? AND bucket = ? AND first_seq = ? AND epoch = ?`,
      params: [this.log, Math.floor(first / PER_BUCKET[table]), long(first), long(epoch)],
    };
  }

  /** That row alone, of those that may be at its position. */
  deleteRow(table: RecordTable, { first, epoch, batchId }: RecordRow): Statement {
    return {
      query: `DELETE FROM ${table} WHERE log = ? AND bucket = ? AND first_seq = ? AND epoch = ? AND batch_id = ?`,
      params: [this.log, Math.floor(first / PER_BUCKET[table]), long(first), long(epoch), batchId],
    };
  }

  deleteHashes(level: number, { first, epoch }: RowKey): Statement {
    return {
      query: 'DELETE FROM hashes WHERE log = ? AND level = ? AND bucket = ? AND first = ? AND epoch = ?',
      params: [this.log, level, Math.floor(first / HASHES_PER_BUCKET), long(first), long(epoch)],
    };
  }

  insertHashes(level: number, { first, epoch, hashes }: HashRow): Statement {
    return {
      query: 'INSERT INTO hashes (log, level, bucket, first, epoch, hashes) VALUES (?, ?, ?, ?, ?, ?)',
      params: [this.log, level, Math.floor(first / HASHES_PER_BUCKET), long(first), long(epoch), hashes],
    };
  }
}

/** Items of [from, to) by position; undefined where no row has one. */
export function place<R extends RowKey, T>(
  rows: readonly R[],
  items: (row: R) => readonly T[],
  from: number,
  to: number,
): (T | undefined)[] {
  const slots = new Array<T | undefined>(to - from).fill(undefined);
  for (const row of rows.toSorted((a, b) => a.epoch - b.epoch)) {
    for (const [i, item] of items(row).entries()) {
      const at = row.first + i - from;
      if (at >= 0 && at < slots.length) slots[at] = item;
    }
  }
  return slots;
}

/** A column that somebody emptied is one without bytes. */
export function bytesOf(column: unknown): Buffer {
  return Buffer.isBuffer(column) ? column : Buffer.alloc(0);
}

function recordRow(row: types.Row): RecordRow {
  return {
    first: Number(row.first_seq),
    epoch: Number(row.epoch),
    batchId: bytesOf(row.batch_id),
    record: bytesOf(row.record),
  };
}
