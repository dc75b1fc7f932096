/** Hash tiles made again out of what lies below them, for whoever holds the result against the tree. */
import { HASH_BYTES } from '../tree/hash.js';
import { merkleTreeHash } from '../tree/mth.js';
import { MalformedTileError, type TileSource, tileHashes } from './node-reader.js';
import { TILE_WIDTH } from './path.js';

/** Hashes of the leaves of bundle `index`, up to `width` of them; undefined for those that are not there. */
export type LeafHashes = (index: number, width: number) => Promise<readonly (Uint8Array | undefined)[]>;

/**
 * Level 0 out of leaves, each level above out of the tiles below it. Where a leaf is missing the stored hash stays, and where a
 * stored hash is what lies below it, too.
 */
export function rebuiltTiles(stored: TileSource, leafHashes: LeafHashes): TileSource {
  const storedHashes = async (level: number, index: number, width: number): Promise<readonly Uint8Array[]> => {
    try {
      return tileHashes(await stored({ kind: 'hashes', level, index, width }), width);
    } catch {
      // Whatever is wrong with it: it is not there.
      return [];
    }
  };
  const rebuilt: TileSource = async ({ level, index, width }) => {
    const own = await storedHashes(level, index, width);
    const below = level === 0 ? await leafHashes(index, width) : [];
    const hashes: Uint8Array[] = [];
    for (let i = 0; i < width; i += 1) {
      const hash = level === 0 ? (below[i] ?? own[i]) : await above(level, index * TILE_WIDTH + i, own[i]);
      if (hash === undefined) throw new MalformedTileError(`hash ${i} of tile ${level}/${index} cannot be made again`);
      hashes.push(hash);
    }
    return Buffer.concat(hashes, width * HASH_BYTES);
  };
  /** The hash over tile `index` of the level below. */
  const above = async (level: number, index: number, own: Uint8Array | undefined): Promise<Uint8Array | undefined> => {
    const child = await storedHashes(level - 1, index, TILE_WIDTH);
    const folded = child.length === 0 ? undefined : merkleTreeHash(child);
    if (own !== undefined && folded !== undefined && Buffer.compare(own, folded) === 0) return own;
    try {
      const made = await rebuilt({ kind: 'hashes', level: level - 1, index, width: TILE_WIDTH });
      return merkleTreeHash(tileHashes(made, TILE_WIDTH));
    } catch (error) {
      if (!(error instanceof MalformedTileError)) throw error;
      return folded;
    }
  };
  return rebuilt;
}
