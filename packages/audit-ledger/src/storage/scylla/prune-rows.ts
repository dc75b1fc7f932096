/**
 * A pruning of details: a row of a batch gives way to one row for each detail of it that is kept. What was written first is
 * harmless beside what is yet to be deleted, so that it can be repeated after a crash at any point.
 */
import { detailPreimages, RECORD_HEADER_BYTES, readHeader, writeHeader } from '../../commit/record.js';
import { type Leaf, LeafView } from '../../leaf/leaf.js';
import { BrokenLinkError, checkDetail } from '../../verify/link.js';
import type { LogRows, RecordRow } from './log-rows.js';
import { readItems } from './scylla-reads.js';

/** @returns bytes that are gone */
export async function pruneDetails(
  rows: LogRows,
  from: number,
  to: number,
  keep: (leaf: Leaf) => boolean,
): Promise<number> {
  let freed = 0;
  for await (const row of rows.records('details', from, to)) {
    const { count } = readHeader(row.record);
    const leaves = await readItems(rows, 'leaves', row.first, Math.min(row.first + count, to));
    const kept = keptOf(
      row,
      leaves.map((preimage) => new LeafView(preimage, 1)),
      keep,
    );
    if (kept.length === count) continue;
    freed += row.record.length - kept.reduce((sum, { record }) => sum + record.length, 0);
    await rows.cluster.write(kept.map((each) => rows.insertRecord('details', each)));
    // The first of them, if it is kept, has taken the place of the row already.
    if (kept[0]?.first !== row.first) await rows.cluster.write([rows.deleteRecord('details', row)]);
  }
  return freed;
}

/** Rows of one detail each. What a batch that was never committed left there is none of them. */
function keptOf(row: RecordRow, leaves: readonly LeafView[], keep: (leaf: Leaf) => boolean): RecordRow[] {
  return detailPreimages(row.record).flatMap((preimage, i) => {
    const leaf = leaves[i];
    if (leaf === undefined || !keep(leaf) || !isDetailOf(leaf, preimage)) return [];
    return [{ ...row, first: row.first + i, record: single(row, row.first + i, preimage) }];
  });
}

function single(row: RecordRow, seq: number, preimage: Uint8Array): Buffer {
  const record = Buffer.alloc(RECORD_HEADER_BYTES + 4 + preimage.length);
  const at = writeHeader(record, { ...readHeader(row.record), firstSeq: seq, count: 1 });
  record.set(preimage, record.writeUInt32BE(preimage.length, at));
  return record;
}

function isDetailOf(leaf: LeafView, preimage: Uint8Array): boolean {
  try {
    checkDetail(leaf, preimage);
    return true;
  } catch (error) {
    if (error instanceof BrokenLinkError) return false;
    throw error;
  }
}
