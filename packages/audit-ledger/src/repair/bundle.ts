/** What a log holds of a bundle of 256 entries, damaged or not: nothing of it is believed. */
import { commitmentPreimage } from '../detail/commitment.js';
import { decodeBundle, MalformedBundleError } from '../tiles/bundle.js';
import { TILE_WIDTH, tileWidth } from '../tiles/path.js';
import { HASH_BYTES } from '../tree/hash.js';
import type { LogSource } from '../verify/source.js';

/** By place in the bundle; undefined for what is not there. */
export interface HeldBundle {
  readonly index: number;
  readonly leaves: readonly (Uint8Array | undefined)[];
  /** 0x02 | salt | detail. */
  readonly preimages: readonly (Uint8Array | undefined)[];
  readonly hashes: readonly (Uint8Array | undefined)[];
}

/** A log that something may be mended from. */
export interface Copy {
  /** For people, and for the entry that records the repair. */
  readonly name: string;
  bundle(index: number): Promise<HeldBundle>;
}

/** `size`: entries of the log that `source` holds. */
export async function readBundle(source: LogSource, index: number, size: number): Promise<HeldBundle> {
  const width = tileWidth(size, 0, index);
  const from = index * TILE_WIDTH;
  if (width === 0) return { index, leaves: [], preimages: [], hashes: [] };
  const pruned = (await source.pruned?.())?.leaves ?? 0;
  const leaves =
    from < pruned
      ? await keptLeaves(source, from, width)
      : leavesIn(await source.tile({ kind: 'entries', index, width }), width);
  const preimages = new Array<Uint8Array | undefined>(width).fill(undefined);
  for await (const openings of source.openings?.(from, from + width) ?? [])
    for (const { seq, salt, detail } of openings)
      if (seq >= from && seq < from + width) preimages[seq - from] = commitmentPreimage(salt, detail);
  return { index, leaves, preimages, hashes: hashesIn(await source.tile({ kind: 'hashes', level: 0, index, width })) };
}

export function hashesIn(tile: Uint8Array): Uint8Array[] {
  const count = Math.floor(tile.length / HASH_BYTES);
  return Array.from({ length: count }, (_, i) => tile.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
}

function leavesIn(bundle: Uint8Array, width: number): (Uint8Array | undefined)[] {
  try {
    return decodeBundle(bundle, width).map((leaf) => (leaf.length === 0 ? undefined : leaf));
  } catch (error) {
    if (error instanceof MalformedBundleError) return [];
    throw error;
  }
}

async function keptLeaves(source: LogSource, from: number, width: number): Promise<(Uint8Array | undefined)[]> {
  const leaves = new Array<Uint8Array | undefined>(width).fill(undefined);
  for await (const { seq, leaf } of source.keptLeaves?.(from, from + width) ?? []) leaves[seq - from] = leaf;
  return leaves;
}
