/** What a batch writes before its commit. */
import type { Batch } from '../../commit/build.js';
import { type BatchHeader, RECORD_HEADER_BYTES, writeHeader } from '../../commit/record.js';
import { TILE_WIDTH } from '../../tiles/path.js';
import { HASH_BYTES } from '../../tree/hash.js';
import type { Statement } from './cluster.js';
import { bundleEnd } from './geometry.js';
import type { LogRows, RecordTable } from './log-rows.js';

/** A row of details ends early rather than become larger: a node refuses statements of half a commit log segment. */
export const MAX_ROW_BYTES = 2 ** 20;

export const LENGTH_BYTES = { leaves: 2, details: 4 } as const;

export function batchStatements(rows: LogRows, { header, entries, details, columns }: Batch): Statement[] {
  const { firstSeq, epoch } = header;
  return [
    ...recordStatements(rows, 'leaves', header, entries),
    ...recordStatements(rows, 'details', header, details),
    ...hashStatements(rows, columns, firstSeq, epoch),
  ];
}

/** Bytes that the batch adds to the log. */
export function batchBytes({ entries, details, columns }: Batch): number {
  return entries.length + details.length + columns.reduce((sum, { length }) => sum + length, 0);
}

function recordStatements(rows: LogRows, table: RecordTable, header: BatchHeader, record: Buffer): Statement[] {
  const batchId = Buffer.from(header.batchId);
  const statements: Statement[] = [];
  const lengthBytes = LENGTH_BYTES[table];
  let first = header.firstSeq;
  let start = RECORD_HEADER_BYTES;
  let offset = start;
  const cut = (next: number): void => {
    const piece = withHeader({ ...header, firstSeq: first, count: next - first }, record.subarray(start, offset));
    statements.push(rows.insertRecord(table, { first, epoch: header.epoch, batchId, record: piece }));
    first = next;
    start = offset;
  };
  for (let seq = first; seq < header.firstSeq + header.count; seq += 1) {
    const end = offset + lengthBytes + record.readUIntBE(offset, lengthBytes);
    if (seq > first && (seq === bundleEnd(first) || end - start > MAX_ROW_BYTES)) cut(seq);
    offset = end;
  }
  cut(header.firstSeq + header.count);
  return statements;
}

/** A row is a record of its own: it says itself which part of which batch it is. */
export function withHeader(header: BatchHeader, items: Buffer): Buffer {
  const record = Buffer.allocUnsafe(RECORD_HEADER_BYTES + items.length);
  writeHeader(record, header);
  record.set(items, RECORD_HEADER_BYTES);
  return record;
}

function hashStatements(rows: LogRows, columns: readonly Buffer[], firstSeq: number, epoch: number): Statement[] {
  return columns.flatMap((column, level) => {
    const total = column.length / HASH_BYTES;
    const statements: Statement[] = [];
    // Complete subtrees of that height before the batch.
    const start = Math.floor(firstSeq / TILE_WIDTH ** level);
    for (let i = 0; i < total; ) {
      const count = Math.min(total - i, bundleEnd(start + i) - (start + i));
      const hashes = column.subarray(i * HASH_BYTES, (i + count) * HASH_BYTES);
      statements.push(rows.insertHashes(level, { first: start + i, epoch, hashes }));
      i += count;
    }
    return statements;
  });
}
