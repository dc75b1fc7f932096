/** The tiles of a store: those that it has, and those that can be made again from its leaves. */
import { SentinelError } from '@sentinel/service-kit/errors';
import { MalformedRecordError } from '../commit/record.js';
import { MalformedLeafError } from '../leaf/leaf.js';
import type { LogReads } from '../storage/store.js';
import { MalformedTileError, type TileSource } from '../tiles/node-reader.js';
import { TILE_WIDTH } from '../tiles/path.js';
import { type LeafHashes, rebuiltTiles } from '../tiles/rebuilt-tiles.js';
import { leafHash } from '../tree/hash.js';
import { UnverifiableError } from './verified-tree.js';

/** In the order in which `VerifiedTree` is to ask them. */
export function tilesOf(reads: Pick<LogReads, 'readTile' | 'readLeaves'>): readonly [TileSource, TileSource] {
  const stored: TileSource = async (tile) => {
    const bytes = await reads.readTile(tile);
    if (bytes === undefined) throw new UnverifiableError(`the store has no tile ${tile.level}/${tile.index}`);
    return bytes;
  };
  return [stored, rebuiltTiles(stored, leafHashes(reads))];
}

function leafHashes(reads: Pick<LogReads, 'readLeaves'>): LeafHashes {
  return async (index, width) => {
    try {
      const leaves = await reads.readLeaves(index * TILE_WIDTH, index * TILE_WIDTH + width);
      return leaves.map((leaf) => leaf && leafHash(leaf));
    } catch (error) {
      if (isDamage(error)) throw new MalformedTileError(`the leaves of bundle ${index} are damaged as well`);
      throw error;
    }
  };
}

function isDamage(error: unknown): boolean {
  const dataLoss = error instanceof SentinelError && error.code === 'DATA_LOSS';
  return dataLoss || error instanceof MalformedRecordError || error instanceof MalformedLeafError;
}
