import { EMPTY_ROOT, nodeHash } from './hash.js';

/** Merkle tree hash straight from the recursive definition of RFC 6962 §2.1. */
export function merkleTreeHash(leafHashes: readonly Uint8Array[]): Uint8Array {
  return subtree(leafHashes, 0, leafHashes.length);
}

function subtree(hashes: readonly Uint8Array[], start: number, end: number): Uint8Array {
  const only = hashes[start];
  if (only === undefined || end === start) return EMPTY_ROOT;
  if (end - start === 1) return only;
  const split = start + largestPowerOfTwoBelow(end - start);
  return nodeHash(subtree(hashes, start, split), subtree(hashes, split, end));
}

/** Largest power of two strictly below n, for n >= 2. */
export function largestPowerOfTwoBelow(n: number): number {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}
