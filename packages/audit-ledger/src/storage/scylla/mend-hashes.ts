/** The same for rows of hashes: each is of the epoch that committed the last entry under it. */
import { allRows } from '@sentinel/service-kit/cql/rows';
import type { RightLog } from '../../repair/right-log.js';
import { type HashTile, TILE_WIDTH, tilesOver, tileWidth } from '../../tiles/path.js';
import { HASH_BYTES } from '../../tree/hash.js';
import { HASHES_PER_BUCKET } from './geometry.js';
import type { HashRow, LogRows } from './log-rows.js';
import type { Run } from './mend-rows.js';

/** Level 0 of entries [from, end), and what is above them. */
export async function mendHashes(
  rows: LogRows,
  right: RightLog,
  { from, end }: { readonly from: number; readonly end: number },
  runs: readonly Run[],
  stored: readonly HashRow[],
): Promise<void> {
  const index = from / TILE_WIDTH;
  const tile = await right.tile({ kind: 'hashes', level: 0, index, width: tileWidth(right.checkpoint.size, 0, index) });
  if (tile !== undefined) await mendLevel(rows, 0, wantedOf(tile, { from, end }, runs, stored), stored);
  for (const above of tilesOver([end - 1], right.checkpoint.size).slice(1)) await mendAbove(rows, right, above);
}

/** Rows as they should be: by the batches, or, where leaves are pruned and with them what they say of those, by the keys of stored rows. */
function wantedOf(
  tile: Uint8Array,
  { from, end }: { readonly from: number; readonly end: number },
  runs: readonly Run[],
  stored: readonly HashRow[],
): HashRow[] {
  const rowOf = (first: number, to: number, epoch: number): HashRow => ({
    first,
    epoch,
    hashes: Buffer.from(tile.subarray((first - from) * HASH_BYTES, (Math.min(to, end) - from) * HASH_BYTES)),
  });
  const known = runs.reduce((sum, run) => sum + run.end - run.first, 0);
  return known === end - from
    ? runs.map((run) => rowOf(run.first, run.end, run.batch.epoch))
    : stored.map(({ first, epoch, hashes }) => rowOf(first, first + Math.ceil(hashes.length / HASH_BYTES), epoch));
}

async function mendAbove(rows: LogRows, right: RightLog, tile: HashTile): Promise<void> {
  const { level, index, width } = tile;
  const bytes = await right.tile(tile);
  if (bytes === undefined) return;
  const from = index * TILE_WIDTH;
  const stored = await allRows(rows.hashes(level, from, from + width));
  const wanted: HashRow[] = [];
  for (let i = 0; i < width; i += 1) {
    const hash = Buffer.from(bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
    const last = (from + i + 1) * TILE_WIDTH ** level - 1;
    const [epoch] = await epochsOver(rows, last);
    const intact = stored.some((row) => holds(row, from + i, hash) && row.epoch === epoch);
    if (!intact && epoch !== undefined) wanted.push({ first: from + i, epoch, hashes: hash });
  }
  await mendLevel(rows, level, wanted, stored);
}

/** Epochs of rows of level 0 that hold the hash of an entry, the highest first. */
async function epochsOver(rows: LogRows, seq: number): Promise<number[]> {
  const start = Math.floor(seq / TILE_WIDTH) * TILE_WIDTH;
  const found = await allRows(rows.hashes(0, start, seq + 1));
  const over = found.filter(({ first, hashes }) => first + Math.floor(hashes.length / HASH_BYTES) > seq);
  return over.map(({ epoch }) => epoch).toSorted((a, b) => b - a);
}

/** Writes what is not there, then deletes what would take its place. */
async function mendLevel(
  rows: LogRows,
  level: number,
  wanted: readonly HashRow[],
  stored: readonly HashRow[],
): Promise<void> {
  const missing = wanted.filter(
    (row) => !stored.some((other) => sameKey(other, row) && other.hashes.equals(row.hashes)),
  );
  await rows.cluster.write(missing.map((row) => rows.insertHashes(level, row)));
  const wrong = stored.filter(
    (row) =>
      wanted.some((other) => overlaps(row, other) && row.epoch >= other.epoch) &&
      !wanted.some((other) => sameKey(other, row)),
  );
  const moved = missing.length === 0 ? [] : await elsewhere(rows, level, missing, wanted);
  await rows.cluster.write([...wrong, ...moved].map((row) => rows.deleteHashes(level, row)));
}

/** Rows that begin with a hash that was missing: no two entries have the same, so they are it, under a damaged key. */
async function elsewhere(
  rows: LogRows,
  level: number,
  missing: readonly HashRow[],
  wanted: readonly HashRow[],
): Promise<HashRow[]> {
  const start = Math.floor((missing[0]?.first ?? 0) / HASHES_PER_BUCKET) * HASHES_PER_BUCKET;
  const begins = new Set(missing.map(beginOf));
  const moved: HashRow[] = [];
  for await (const row of rows.hashes(level, start, start + HASHES_PER_BUCKET))
    if (begins.has(beginOf(row)) && !wanted.some((other) => sameKey(other, row))) moved.push(row);
  return moved;
}

function beginOf({ hashes }: HashRow): string {
  return hashes.toString('hex', 0, HASH_BYTES);
}

function holds({ first, hashes }: HashRow, at: number, hash: Buffer): boolean {
  const offset = (at - first) * HASH_BYTES;
  return offset >= 0 && hashes.subarray(offset, offset + HASH_BYTES).equals(hash);
}

function overlaps(a: HashRow, b: HashRow): boolean {
  const endOf = ({ first, hashes }: HashRow): number => first + Math.ceil(hashes.length / HASH_BYTES);
  return a.first < endOf(b) && b.first < endOf(a);
}

function sameKey(a: HashRow, b: HashRow): boolean {
  return a.first === b.first && a.epoch === b.epoch;
}
