import { TILE_HEIGHT } from '../tiles/path.js';
import { type Digest, digestBytes, digestOf, EMPTY_ROOT, nodeDigest } from './hash.js';

/**
 * Told of every complete subtree whose root a tile above the leaves holds: `tileLevel` is its height in steps of 8, at least 1,
 * and `index` its place among subtrees of that height.
 */
export type NodeSink = (tileLevel: number, index: number, hash: Buffer) => void;

/**
 * The right edge of an RFC 6962 tree: for every set bit of the size, the root of the perfect subtree of that height.
 * Enough to append and to give the root, in at most 53 hashes.
 */
export class Frontier {
  #size: number;
  /** By height; where the size has no such bit, what is there means nothing. */
  readonly #roots: Digest[];

  constructor(size = 0, roots: readonly Digest[] = []) {
    this.#size = size;
    this.#roots = [...roots];
  }

  /** Restores a frontier from its subtree roots, tallest first, as `rangeNodes(0, size)` lists them. */
  static fromSubtrees(subtrees: readonly { readonly level: number; readonly hash: Uint8Array }[]): Frontier {
    const roots = new Array<Digest>((subtrees[0]?.level ?? -1) + 1).fill('');
    let size = 0;
    for (const { level, hash } of subtrees) {
      roots[level] = digestOf(hash);
      size += 2 ** level;
    }
    return new Frontier(size, roots);
  }

  get size(): number {
    return this.#size;
  }

  clone(): Frontier {
    return new Frontier(this.#size, this.#roots);
  }

  /** Appends a leaf hash. */
  append(leaf: Digest, sink?: NodeSink): void {
    let carry = leaf;
    let level = 0;
    let index = this.#size;
    while (index % 2 === 1) {
      carry = nodeDigest(this.#roots[level] ?? '', carry);
      level += 1;
      index = (index - 1) / 2;
      if (sink !== undefined && level % TILE_HEIGHT === 0) sink(level / TILE_HEIGHT, index, digestBytes(carry));
    }
    this.#roots[level] = carry;
    this.#size += 1;
  }

  root(): Buffer {
    let root: Digest | undefined;
    for (let level = 0, rest = this.#size; rest > 0; level += 1, rest = Math.floor(rest / 2)) {
      if (rest % 2 === 0) continue;
      const left = this.#roots[level] ?? '';
      root = root === undefined ? left : nodeDigest(left, root);
    }
    return root === undefined ? Buffer.from(EMPTY_ROOT) : digestBytes(root);
  }
}
