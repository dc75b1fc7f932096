/** The tree of RFC 6962 straight from its definition, over leaf hashes, for tests. */
import { hash } from 'node:crypto';

export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves;
  if (only === undefined) return hash('sha256', '', 'buffer');
  if (leaves.length === 1) return only;
  const split = splitOf(leaves.length);
  const nodes = [Buffer.of(1), merkleRoot(leaves.slice(0, split)), merkleRoot(leaves.slice(split))];
  return hash('sha256', Buffer.concat(nodes), 'buffer');
}

/** PROOF(oldSize, leaves) of RFC 6962 §2.1.2. */
export function consistencyProof(leaves: readonly Uint8Array[], oldSize: number): Uint8Array[] {
  return oldSize === 0 || oldSize === leaves.length ? [] : subProof(leaves, oldSize, true);
}

function subProof(leaves: readonly Uint8Array[], size: number, known: boolean): Uint8Array[] {
  if (size === leaves.length) return known ? [] : [merkleRoot(leaves)];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return size <= split
    ? [...subProof(left, size, known), merkleRoot(right)]
    : [...subProof(right, size - split, false), merkleRoot(left)];
}

/** Largest power of two below `count`. */
function splitOf(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}
