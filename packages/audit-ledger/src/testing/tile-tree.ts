/** Tiles of an in-memory tree, cut from the definition rather than by the code under test. */
import type { TileSource } from '../tiles/node-reader.js';
import { parseTilePath } from '../tiles/path.js';
import { merkleTreeHash } from '../tree/mth.js';

export function tileBytes(hashes: readonly Uint8Array[], path: string): Buffer {
  const tile = parseTilePath(path);
  if (tile === null || tile.kind !== 'hashes') throw new Error(`${path} is not a hash tile`);
  return cut(hashes, tile.level, tile.index, tile.width);
}

export function tileSourceOf(hashes: readonly Uint8Array[]): TileSource {
  return (tile) => Promise.resolve(cut(hashes, tile.level, tile.index, tile.width));
}

function cut(hashes: readonly Uint8Array[], level: number, index: number, width: number): Buffer {
  const span = 256 ** level;
  return Buffer.concat(
    Array.from({ length: width }, (_, i) => {
      const start = (index * 256 + i) * span;
      if (start + span > hashes.length)
        throw new Error(`a tree of ${hashes.length} leaves has no tile ${level}/${index} that wide`);
      return merkleTreeHash(hashes.slice(start, start + span));
    }),
  );
}
