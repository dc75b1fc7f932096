/** What the entry hashes of a bundle are, by what most say who know: the leaf, its hash in the tile, and the leaf behind it. */
import { decodeLeaf, MalformedLeafError } from '../leaf/leaf.js';
import { TILE_WIDTH } from '../tiles/path.js';
import { leafHash } from '../tree/hash.js';
import type { HeldBundle } from './bundle.js';

/** `held`: of the log itself, then of copies. Undefined where nobody says anything. */
export function votedHashes(held: readonly HeldBundle[]): (Uint8Array | undefined)[] {
  return Array.from({ length: TILE_WIDTH }, (_, i) => mostVoted(held.flatMap((bundle) => votesFor(bundle, i))));
}

/** The leaf first: where two disagree and no third decides, the tile has been tried as it is. */
function votesFor({ leaves, hashes }: HeldBundle, i: number): Uint8Array[] {
  const [leaf, next, hash] = [leaves[i], leaves[i + 1], hashes[i]];
  const votes = [leaf && leafHash(leaf), next && prevOf(next), hash];
  return votes.filter((vote) => vote !== undefined);
}

function mostVoted(votes: readonly Uint8Array[]): Uint8Array | undefined {
  const counts = new Map<string, { readonly hash: Uint8Array; count: number }>();
  for (const hash of votes) {
    const key = Buffer.from(hash).toString('hex');
    const known = counts.get(key) ?? { hash, count: 0 };
    known.count += 1;
    counts.set(key, known);
  }
  return [...counts.values()].toSorted((a, b) => b.count - a.count)[0]?.hash;
}

function prevOf(leaf: Uint8Array): Uint8Array | undefined {
  try {
    return decodeLeaf(leaf).prev;
  } catch (error) {
    if (error instanceof MalformedLeafError) return undefined;
    throw error;
  }
}
