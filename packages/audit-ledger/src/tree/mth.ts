import { type Digest, EMPTY_ROOT, nodeDigest, nodeHash } from './hash.js';

/** Merkle tree hash straight from the recursive definition of RFC 6962 §2.1. */
export function merkleTreeHash(leafHashes: readonly Uint8Array[]): Uint8Array {
  const { length } = leafHashes;
  return length === 0 ? EMPTY_ROOT : subtree(leafHashes, 0, length, nodeHash);
}

/** The same over leaves [start, end) of `digests`, of which there must be one at least. */
export function treeDigest(digests: readonly Digest[], start = 0, end = digests.length): Digest {
  return subtree(digests, start, end, nodeDigest);
}

function subtree<T>(hashes: readonly T[], start: number, end: number, join: (left: T, right: T) => T): T {
  if (end - start === 1) return hashes[start] as T;
  const split = start + largestPowerOfTwoBelow(end - start);
  return join(subtree(hashes, start, split, join), subtree(hashes, split, end, join));
}

/** Largest power of two strictly below n, for n >= 2. */
export function largestPowerOfTwoBelow(n: number): number {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}
