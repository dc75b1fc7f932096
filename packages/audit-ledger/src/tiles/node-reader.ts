/** Reads tree nodes and proofs out of tiles. */
import { type Digest, digestAt, EMPTY_ROOT, HASH_BYTES } from '../tree/hash.js';
import { merkleTreeHash } from '../tree/mth.js';
import {
  consistencyRanges,
  foldNodes,
  inclusionRanges,
  type LeafRange,
  rangeNodes,
  type TreeNode,
} from '../tree/ranges.js';
import { type HashTile, TILE_HEIGHT, TILE_WIDTH, tileWidth } from './path.js';

/** Gives the bytes of a hash tile: `width` hashes of 32 bytes. */
export type TileSource = (tile: HashTile) => Promise<Uint8Array>;

export class MalformedTileError extends Error {
  override readonly name = 'MalformedTileError';
}

/** Hashes of tile bytes, as views. */
export function tileHashes(bytes: Uint8Array, width: number): Uint8Array[] {
  assertWidth(bytes, width);
  return Array.from({ length: width }, (_, i) => bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
}

export function tileDigests(bytes: Uint8Array, width: number): Digest[] {
  assertWidth(bytes, width);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: width }, (_, i) => digestAt(buffer, i * HASH_BYTES));
}

function assertWidth(bytes: Uint8Array, width: number): void {
  if (bytes.length !== width * HASH_BYTES) throw new MalformedTileError(`tile does not hold exactly ${width} hashes`);
}

/** Proofs for a tree of a given size, reading only tiles that a tree of `tilesSize >= size` leaves has. */
export class NodeReader {
  readonly #source: TileSource;
  readonly #tilesSize: number;

  constructor(source: TileSource, tilesSize: number) {
    this.#source = source;
    this.#tilesSize = tilesSize;
  }

  async root(size: number): Promise<Uint8Array> {
    return size === 0 ? EMPTY_ROOT : await this.#rangeHash({ start: 0, end: size });
  }

  async subtrees(size: number): Promise<{ level: number; hash: Uint8Array }[]> {
    const nodes = rangeNodes({ start: 0, end: size });
    return await Promise.all(nodes.map(async (node) => ({ level: node.level, hash: await this.#node(node) })));
  }

  async inclusionProof(index: number, size: number): Promise<Uint8Array[]> {
    return await Promise.all(inclusionRanges(index, size).map((range) => this.#rangeHash(range)));
  }

  async consistencyProof(oldSize: number, newSize: number): Promise<Uint8Array[]> {
    return await Promise.all(consistencyRanges(oldSize, newSize).map((range) => this.#rangeHash(range)));
  }

  async #rangeHash(range: LeafRange): Promise<Uint8Array> {
    return foldNodes(await Promise.all(rangeNodes(range).map((node) => this.#node(node))));
  }

  async #node({ level, index }: TreeNode): Promise<Uint8Array> {
    const tileLevel = Math.floor(level / TILE_HEIGHT);
    const span = 2 ** (level % TILE_HEIGHT);
    const tileIndex = Math.floor((index * span) / TILE_WIDTH);
    const width = tileWidth(this.#tilesSize, tileLevel, tileIndex);
    const bytes = await this.#source({ kind: 'hashes', level: tileLevel, index: tileIndex, width });
    const first = (index * span) % TILE_WIDTH;
    return merkleTreeHash(tileHashes(bytes, width).slice(first, first + span));
  }
}
