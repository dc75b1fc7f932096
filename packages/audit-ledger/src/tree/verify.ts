/**
 * Verification as RFC 9162 §2.1.3.2 and §2.1.4.2 write it. Two traps, both closed by `verifyInclusion`'s shape: a
 * proof does not bind the tree size, so size and root must come from one signed checkpoint; and an interior node
 * offered as a leaf hash satisfies the arithmetic, so the leaf's bytes are what is taken.
 */
import { EMPTY_ROOT, HASH_BYTES, leafHash, nodeHash } from './hash.js';

/** Size and root as one signed checkpoint states them. */
export interface TreeHead {
  readonly size: number;
  readonly root: Uint8Array;
}

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

export function verifyConsistency(from: TreeHead, to: TreeHead, proof: readonly Uint8Array[]): boolean {
  if (!isIndex(from.size) || !isIndex(to.size) || from.size > to.size) return false;
  if (!areHashes([from.root, to.root, ...proof])) return false;
  if (from.size === to.size) return proof.length === 0 && Buffer.compare(from.root, to.root) === 0;
  if (from.size === 0) return proof.length === 0 && Buffer.compare(from.root, EMPTY_ROOT) === 0;
  const path = isPowerOfTwo(from.size) ? [from.root, ...proof] : proof;
  return consistencyHolds(from, to, path);
}

function consistencyHolds(from: TreeHead, to: TreeHead, path: readonly Uint8Array[]): boolean {
  let fn = from.size - 1;
  let sn = to.size - 1;
  while (fn % 2 === 1) [fn, sn] = [half(fn), half(sn)];
  const [first, ...rest] = path;
  if (first === undefined) return false;
  let oldRoot = first;
  let newRoot = first;
  for (const hash of rest) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      oldRoot = nodeHash(hash, oldRoot);
      newRoot = nodeHash(hash, newRoot);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      newRoot = nodeHash(newRoot, hash);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && Buffer.compare(oldRoot, from.root) === 0 && Buffer.compare(newRoot, to.root) === 0;
}

function areHashes(values: readonly Uint8Array[]): boolean {
  return values.every((value) => value.length === HASH_BYTES);
}

function isIndex(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isPowerOfTwo(value: number): boolean {
  let rest = value;
  while (rest % 2 === 0) rest /= 2;
  return rest === 1;
}

function half(value: number): number {
  return Math.floor(value / 2);
}
