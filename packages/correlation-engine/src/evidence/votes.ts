import type { SeedVotes } from './model/fleet.js';

/** Seeds whose wrong digests are remembered per cohort: half an hour of the default schedule. */
const MAX_SEEDS = 32;
/** Wrong digests told apart per seed: a broken program gives one, a racy one any number. */
const MAX_DIGESTS = 8;
/** Fewer nodes than this are no majority. */
const MIN_NODES = 3;
/** Share of the other nodes that have to agree on a wrong digest: a racy program has no digest of its own. */
const MODAL_SHARE = 0.75;

export interface Seed {
  readonly epoch: number;
  readonly index: number;
}

/** One more node gave this wrong digest for this seed. The arrays are replaced, never mutated. */
export function addVote(votes: readonly SeedVotes[], seed: Seed, digest: number): SeedVotes[] {
  const before = votesOf(votes, seed);
  const now = before === undefined ? { ...seed, voters: 1, digests: [{ digest, nodes: 1 }] } : oneMore(before, digest);
  return [now, ...votes.filter((entry) => entry !== before)].sort(newestFirst).slice(0, MAX_SEEDS);
}

function newestFirst(a: SeedVotes, b: SeedVotes): number {
  return b.epoch - a.epoch || b.index - a.index;
}

function oneMore(before: SeedVotes, digest: number): SeedVotes {
  const known = before.digests.find((entry) => entry.digest === digest);
  const others = before.digests.filter((entry) => entry !== known);
  // The newest digest stands before others as rare, so one that a majority gives is found however late it comes.
  const digests = [{ digest, nodes: (known?.nodes ?? 0) + 1 }, ...others].sort((a, b) => b.nodes - a.nodes);
  return {
    epoch: before.epoch,
    index: before.index,
    voters: before.voters + 1,
    digests: digests.slice(0, MAX_DIGESTS),
  };
}

function votesOf(votes: readonly SeedVotes[], { epoch, index }: Seed): SeedVotes | undefined {
  return votes.find((entry) => entry.epoch === epoch && entry.index === index);
}

/** The wrong digest that nearly all of the failing nodes give for one of the seeds, the newest of them; null = there is none. */
export function modalDigest(votes: readonly SeedVotes[]): number | null {
  for (const { digests, voters } of votes) {
    const [most] = digests;
    if (most !== undefined && most.nodes >= MIN_NODES && most.nodes > MODAL_SHARE * voters) return most.digest;
  }
  return null;
}

/** Nearly all other nodes gave one wrong digest for this seed, and it is not this one. */
export function isMinority(votes: readonly SeedVotes[], seed: Seed, digest: number): boolean {
  const known = votesOf(votes, seed);
  if (known === undefined) return false;
  const others = known.voters - 1;
  return known.digests.some(
    (entry) => entry.digest !== digest && entry.nodes >= MIN_NODES && entry.nodes > MODAL_SHARE * others,
  );
}
