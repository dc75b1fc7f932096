/**
 * A pruning: a row of a batch gives way to one row for each detail, or leaf, of it that is kept. What was written first is harmless
 * beside what is yet to be deleted, so that it can be repeated after a crash at any point.
 */
import { detailPreimages, entryPreimages, joinItems, readHeader } from '../../commit/record.js';
import { type Leaf, LeafView } from '../../leaf/leaf.js';
import { TILE_WIDTH } from '../../tiles/path.js';
import { HASH_BYTES, sha256 } from '../../tree/hash.js';
import { isDetailOf } from '../../verify/link.js';
import { LENGTH_BYTES, withHeader } from './batch-rows.js';
import type { LogRows, RecordRow, RecordTable } from './log-rows.js';
import { readLeaves, readTile } from './scylla-reads.js';

const NOTHING = Buffer.alloc(0);

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
    const leaves = await readLeaves(rows, row.first, Math.min(row.first + count, to));
    const kept = keptOf(
      row,
      leaves.map((leaf) => leaf && new LeafView(leaf)),
      keep,
    );
    freed += await giveWay(rows, 'details', row, kept);
  }
  return freed;
}

/** The same of leaves, whose hashes stay. To be called once their details are gone. @returns bytes that are gone */
export async function pruneLeaves(
  rows: LogRows,
  from: number,
  to: number,
  keep: (leaf: Leaf) => boolean,
): Promise<number> {
  let freed = 0;
  let bundle: { readonly index: number; readonly hashes: Uint8Array } = { index: -1, hashes: NOTHING };
  for await (const row of rows.records('leaves', from, to)) {
    const index = Math.floor(row.first / TILE_WIDTH);
    if (index !== bundle.index)
      bundle = { index, hashes: await readTile(rows, { kind: 'hashes', level: 0, index, width: TILE_WIDTH }) };
    const { hashes } = bundle;
    // What a batch that was never committed left there has other hashes.
    const kept = entryPreimages(row.record).flatMap((preimage, i) => {
      const at = ((row.first + i) % TILE_WIDTH) * HASH_BYTES;
      const committed = sha256(preimage).equals(hashes.subarray(at, at + HASH_BYTES));
      return committed && keep(new LeafView(preimage, 1))
        ? [single(row, row.first + i, preimage, LENGTH_BYTES.leaves)]
        : [];
    });
    freed += await giveWay(rows, 'leaves', row, kept);
  }
  return freed;
}

/** @returns bytes by which `kept` are fewer than the row was */
async function giveWay(rows: LogRows, table: RecordTable, row: RecordRow, kept: readonly RecordRow[]): Promise<number> {
  if (kept.length === readHeader(row.record).count) return 0;
  await rows.cluster.write(kept.map((each) => rows.insertRecord(table, each)));
  // The first of them, if it is kept, has taken the place of the row already.
  if (kept[0]?.first !== row.first) await rows.cluster.write([rows.deleteRecord(table, row)]);
  return row.record.length - kept.reduce((sum, { record }) => sum + record.length, 0);
}

/** Rows of one detail each. What a batch that was never committed left there is none of them. */
function keptOf(row: RecordRow, leaves: readonly (LeafView | undefined)[], keep: (leaf: Leaf) => boolean): RecordRow[] {
  return detailPreimages(row.record).flatMap((preimage, i) => {
    const leaf = leaves[i];
    if (leaf === undefined || !keep(leaf) || !isDetailOf(leaf, preimage)) return [];
    return [single(row, row.first + i, preimage, LENGTH_BYTES.details)];
  });
}

function single(row: RecordRow, seq: number, preimage: Uint8Array, lengthBytes: number): RecordRow {
  const header = { ...readHeader(row.record), firstSeq: seq, count: 1 };
  return { ...row, first: seq, record: withHeader(header, joinItems([preimage], lengthBytes)) };
}
