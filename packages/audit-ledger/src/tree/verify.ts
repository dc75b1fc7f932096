/**
 * Verification of inclusion as RFC 9162 §2.1.3.2 writes it. Two traps, both closed by `verifyInclusion`'s shape: a
 * proof does not bind the tree size, so size and root must come from one signed checkpoint; and an interior node
 * offered as a leaf hash satisfies the arithmetic, so the leaf's bytes are what is taken.
 */
import type { TreeHead } from '@sentinel/service-kit/merkle-consistency';
import { HASH_BYTES, leafHash, nodeHash } from './hash.js';

export { type TreeHead, verifyConsistency } from '@sentinel/service-kit/merkle-consistency';

export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  head: TreeHead,
  proof: readonly Uint8Array[],
): boolean {
  return inclusionHolds(leafHash(leaf), index, head, proof);
}

/** The arithmetic alone; outside this package use `verifyInclusion`. */
export function inclusionHolds(hash: Uint8Array, index: number, head: TreeHead, proof: readonly Uint8Array[]): boolean {
  if (!isIndex(index) || !isIndex(head.size) || index >= head.size || !areHashes([hash, head.root, ...proof]))
    return false;
  let fn = index;
  let sn = head.size - 1;
  let node = hash;
  for (const sibling of proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      node = nodeHash(sibling, node);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      node = nodeHash(node, sibling);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && Buffer.compare(node, head.root) === 0;
}

function areHashes(values: readonly Uint8Array[]): boolean {
  return values.every((value) => value.length === HASH_BYTES);
}

function isIndex(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function half(value: number): number {
  return Math.floor(value / 2);
}
