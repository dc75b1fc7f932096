/** Reads of a log in a cluster, as far as `size` says: by its writer up to the head, by a reader up to its checkpoint. */
import { allRows } from '@sentinel/service-kit/cql/rows';
import { detailPreimages, entryPreimages, MalformedRecordError } from '../../commit/record.js';
import type { IndexFilter } from '../../index/block.js';
import type { IndexStore } from '../../index/index-store.js';
import type { Pruned } from '../../retention/pruning.js';
import { type HashTile, TILE_WIDTH, tileWidth } from '../../tiles/path.js';
import { HASH_BYTES } from '../../tree/hash.js';
import type { LogReads, QueryPage, StoredEntry } from '../store.js';
import { bundleStart } from './geometry.js';
import { type HashRow, type LogRows, place, type RecordTable } from './log-rows.js';

const SPLIT = { leaves: entryPreimages, details: detailPreimages } as const;

export class ScyllaReads implements LogReads {
  readonly #rows: LogRows;
  readonly #index: Pick<IndexStore, 'query'>;
  readonly #size: () => number;
  readonly #pruned: () => Pruned;

  constructor(rows: LogRows, index: Pick<IndexStore, 'query'>, size: () => number, pruned: () => Pruned) {
    this.#pruned = pruned;
    this.#rows = rows;
    this.#index = index;
    this.#size = size;
  }

  get pruned(): Pruned {
    return this.#pruned();
  }

  async readEntries(from: number, to: number): Promise<StoredEntry[]> {
    const end = Math.min(to, this.#size());
    const [leaves, details] = await Promise.all([
      readLeaves(this.#rows, from, end),
      placedItems(this.#rows, 'details', from, end),
    ]);
    const missing = details.findIndex((item, i) => item === undefined && from + i >= this.pruned.details);
    if (missing >= 0) throw new MalformedRecordError(`details lack entry ${from + missing}`);
    return leaves.flatMap((leaf, i) =>
      leaf === undefined ? [] : [{ seq: from + i, leaf, detailPreimage: details[i] }],
    );
  }

  async readLeaves(from: number, to: number): Promise<(Uint8Array | undefined)[]> {
    return await readLeaves(this.#rows, from, Math.min(to, this.#size()));
  }

  async readTile(tile: HashTile): Promise<Uint8Array | undefined> {
    if (tile.width > tileWidth(this.#size(), tile.level, tile.index)) return undefined;
    return await readTile(this.#rows, tile);
  }

  async query(filter: IndexFilter, order: 'newest' | 'oldest', limit: number): Promise<QueryPage> {
    return await this.#index.query({ ...filter, toSeq: Math.min(filter.toSeq, this.#size()) }, order, limit);
  }
}

/** Preimages of [from, to), as far as they are there. */
async function placedItems(
  rows: LogRows,
  table: RecordTable,
  from: number,
  to: number,
): Promise<(Uint8Array | undefined)[]> {
  if (from >= to) return [];
  const found = await allRows(rows.records(table, bundleStart(from), to));
  return place(found, ({ record }) => SPLIT[table](record), from, to);
}

/** Preimages of [from, to), all of them. @throws MalformedRecordError */
export async function readItems(rows: LogRows, table: RecordTable, from: number, to: number): Promise<Uint8Array[]> {
  const items = await placedItems(rows, table, from, to);
  return items.map((item, i) => {
    if (item === undefined) throw new MalformedRecordError(`${table} lack entry ${from + i}`);
    return item;
  });
}

/** Leaves of [from, to); undefined for one that was pruned. @throws MalformedRecordError where another is missing */
export async function readLeaves(rows: LogRows, from: number, to: number): Promise<(Uint8Array | undefined)[]> {
  const items = await placedItems(rows, 'leaves', from, to);
  const missing = items.findIndex((item, i) => item === undefined && from + i >= rows.prunedLeaves);
  if (missing >= 0) throw new MalformedRecordError(`leaves lack entry ${from + missing}`);
  return items.map((preimage) => preimage?.subarray(1));
}

/** As many hashes as are there, up to the tile's width. */
export async function readTile(rows: LogRows, { level, index, width }: HashTile): Promise<Uint8Array> {
  const from = index * TILE_WIDTH;
  const found = await allRows(rows.hashes(level, from, from + width));
  const hashes = place(found, splitHashes, from, from + width);
  const end = hashes.indexOf(undefined);
  return Buffer.concat((end < 0 ? hashes : hashes.slice(0, end)) as Buffer[]);
}

export function splitHashes({ hashes }: HashRow): Buffer[] {
  const count = Math.floor(hashes.length / HASH_BYTES);
  return Array.from({ length: count }, (_, i) => hashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
}
