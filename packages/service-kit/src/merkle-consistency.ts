/** That a Merkle log only grew, from two of its heads and a proof, as RFC 9162 §2.1.4.2 writes it. */
import { hash } from 'node:crypto';

const HASH_BYTES = 32;
const NODE_PREFIX = Buffer.of(0x01);
const EMPTY_ROOT = hash('sha256', '', 'buffer');

/** Size and root as one signed checkpoint states them. */
export interface TreeHead {
  readonly size: number;
  readonly root: Uint8Array;
}

/** Whether `proof` shows that the tree of `to` begins with that of `from`. */
export function verifyConsistency(from: TreeHead, to: TreeHead, proof: readonly Uint8Array[]): boolean {
  if (!isSize(from.size) || !isSize(to.size) || from.size > to.size) return false;
  if ([from.root, to.root, ...proof].some(({ length }) => length !== HASH_BYTES)) return false;
  if (from.size === to.size) return proof.length === 0 && Buffer.compare(from.root, to.root) === 0;
  if (from.size === 0) return proof.length === 0 && Buffer.compare(from.root, EMPTY_ROOT) === 0;
  return consistencyHolds(from, to, isPowerOfTwo(from.size) ? [from.root, ...proof] : proof);
}

function consistencyHolds(from: TreeHead, to: TreeHead, path: readonly Uint8Array[]): boolean {
  let fn = from.size - 1;
  let sn = to.size - 1;
  while (fn % 2 === 1) [fn, sn] = [half(fn), half(sn)];
  const [first, ...rest] = path;
  if (first === undefined) return false;
  let oldRoot = first;
  let newRoot = first;
  for (const sibling of rest) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      oldRoot = nodeHash(sibling, oldRoot);
      newRoot = nodeHash(sibling, newRoot);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      newRoot = nodeHash(newRoot, sibling);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && Buffer.compare(oldRoot, from.root) === 0 && Buffer.compare(newRoot, to.root) === 0;
}

function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([NODE_PREFIX, left, right]), 'buffer');
}

function isSize(value: number): boolean {
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
