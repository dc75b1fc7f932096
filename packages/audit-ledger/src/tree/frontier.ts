import { EMPTY_ROOT, HASH_BYTES, nodeHash, nodeHashInto } from './hash.js';

/** Sizes stay below 2^53, so no subtree is taller. */
const MAX_LEVELS = 54;

/** Told of every complete subtree: `level` is its height, `index` its place among subtrees of that height. */
export type NodeSink = (level: number, index: number, hash: Buffer) => void;

/**
 * The right edge of an RFC 6962 tree: for every set bit of the size, the root of the perfect subtree of that height.
 * Enough to append and to give the root, in 54 x 32 bytes.
 */
export class Frontier {
  #size: number;
  readonly #roots: Buffer;

  constructor(size = 0, roots: Buffer = Buffer.alloc(MAX_LEVELS * HASH_BYTES)) {
    this.#size = size;
    this.#roots = roots;
  }

  /** Restores a frontier from its subtree roots, tallest first, as `rangeNodes(0, size)` lists them. */
  static fromSubtrees(subtrees: readonly { readonly level: number; readonly hash: Uint8Array }[]): Frontier {
    const roots = Buffer.alloc(MAX_LEVELS * HASH_BYTES);
    let size = 0;
    for (const { level, hash } of subtrees) {
      roots.set(hash, level * HASH_BYTES);
      size += 2 ** level;
    }
    return new Frontier(size, roots);
  }

  get size(): number {
    return this.#size;
  }

  clone(): Frontier {
    return new Frontier(this.#size, Buffer.from(this.#roots));
  }

  /** Appends a leaf hash. `sink` sees buffers that live only for the call. */
  append(leaf: Uint8Array, sink?: NodeSink): void {
    const carry = Buffer.allocUnsafe(HASH_BYTES);
    carry.set(leaf);
    let level = 0;
    let index = this.#size;
    sink?.(level, index, carry);
    while (index % 2 === 1) {
      nodeHashInto(this.#at(level), carry, carry, 0);
      level += 1;
      index = (index - 1) / 2;
      sink?.(level, index, carry);
    }
    this.#roots.set(carry, level * HASH_BYTES);
    this.#size += 1;
  }

  root(): Buffer {
    let root: Buffer | undefined;
    for (let level = 0, rest = this.#size; rest > 0; level += 1, rest = Math.floor(rest / 2)) {
      if (rest % 2 === 0) continue;
      root = root === undefined ? Buffer.from(this.#at(level)) : nodeHash(this.#at(level), root);
    }
    return root ?? Buffer.from(EMPTY_ROOT);
  }

  #at(level: number): Buffer {
    return this.#roots.subarray(level * HASH_BYTES, (level + 1) * HASH_BYTES);
  }
}
