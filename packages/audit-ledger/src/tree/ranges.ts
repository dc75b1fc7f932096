/**
 * Which nodes a proof is made of. Every hash of a proof is the tree hash of a range of leaves [start, end); a range is
 * the concatenation of perfect subtrees, which is what tiles can give.
 */
import { nodeHash } from './hash.js';
import { largestPowerOfTwoBelow } from './mth.js';

export interface LeafRange {
  readonly start: number;
  readonly end: number;
}

/** The perfect subtree of height `level` over leaves [index * 2^level, (index + 1) * 2^level). */
export interface TreeNode {
  readonly level: number;
  readonly index: number;
}

/** RFC 6962 §2.1.1, in the order of the proof (lowest first). Requires 0 <= index < size. */
export function inclusionRanges(index: number, size: number): LeafRange[] {
  if (!(index >= 0 && index < size)) throw new RangeError(`leaf ${index} is not in a tree of ${size}`);
  const path: LeafRange[] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const split = start + largestPowerOfTwoBelow(end - start);
    if (index < split) {
      path.push({ start: split, end });
      end = split;
    } else {
      path.push({ start, end: split });
      start = split;
    }
  }
  return path.reverse();
}

/** RFC 6962 §2.1.2, in the order of the proof. Requires 0 <= oldSize <= newSize. */
export function consistencyRanges(oldSize: number, newSize: number): LeafRange[] {
  if (!(oldSize >= 0 && oldSize <= newSize)) throw new RangeError(`no proof from size ${oldSize} to ${newSize}`);
  if (oldSize === 0 || oldSize === newSize) return [];
  const path: LeafRange[] = [];
  let start = 0;
  let end = newSize;
  while (oldSize !== end) {
    const split = start + largestPowerOfTwoBelow(end - start);
    if (oldSize <= split) {
      path.push({ start: split, end });
      end = split;
    } else {
      path.push({ start, end: split });
      start = split;
    }
  }
  // The verifier knows the root of the old tree itself, so a subtree that is the whole of it is left out.
  if (start > 0) path.push({ start, end });
  return path.reverse();
}

/** Perfect subtrees that tile [start, end), left to right; start must be aligned as proof ranges are. */
export function rangeNodes({ start, end }: LeafRange): TreeNode[] {
  const nodes: TreeNode[] = [];
  let position = start;
  while (position < end) {
    let level = 0;
    while (position % 2 ** (level + 1) === 0 && position + 2 ** (level + 1) <= end) level += 1;
    nodes.push({ level, index: position / 2 ** level });
    position += 2 ** level;
  }
  return nodes;
}

/** Tree hash of a range from the hashes of its `rangeNodes`. */
export function foldNodes(hashes: readonly Uint8Array[]): Uint8Array {
  return hashes.reduceRight((right, left) => nodeHash(left, right));
}
