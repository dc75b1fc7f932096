/** What replicas hold after one step. */
export interface ReplicaVote {
  /** Ranks that voted. */
  readonly voters: readonly number[];
  /** What more than half of them have; null = no such thing. */
  readonly majority: string | null;
  /** Those that differ from the majority, or all voters where there is none and they differ. */
  readonly differing: readonly number[];
}

/** A rank that more than half outvote in one block of what replicas hold. */
export interface OutvotedInBlock {
  readonly rank: number;
  readonly block: number;
  readonly majority: string;
}

/**
 * Where there is no majority for the whole, two faults in different places may each have one in the block that it is in: what went wrong
 * in one place of a replica stays there, since all replicas add the same to what they hold. Asked only where two replicas at least are
 * equal in the whole: else nothing shows that they add the same.
 * @param blocks by rank, digests of the same parts of what each holds
 * @returns each rank once
 */
export function outvotedInBlocks(
  blocks: ReadonlyMap<number, readonly string[]>,
  minConsensus: number,
): OutvotedInBlock[] {
  const wholes = [...blocks.values()].map((digests) => digests.join(''));
  if (wholes.includes('') || new Set(wholes).size === wholes.length) return [];
  const found = new Map<number, OutvotedInBlock>();
  for (let block = 0; block < Math.max(...[...blocks.values()].map(({ length }) => length)); block += 1) {
    const { majority, differing } = voteReplicas(
      new Map([...blocks].map(([rank, digests]) => [rank, digests[block] ?? ''])),
      minConsensus,
    );
    if (majority === null) continue;
    for (const rank of differing) if (!found.has(rank)) found.set(rank, { rank, block, majority });
  }
  return [...found.values()];
}

/**
 * A vote among ranks that must hold the same bits.
 * @param digests by rank; '' = gave none
 * @param minConsensus ranks that must agree at least; 0 = more than half is enough
 */
export function voteReplicas(digests: ReadonlyMap<number, string>, minConsensus: number): ReplicaVote {
  const given = [...digests].filter(([, digest]) => digest !== '');
  const voters = given.map(([rank]) => rank);
  const counts = new Map<string, number>();
  for (const [, digest] of given) counts.set(digest, (counts.get(digest) ?? 0) + 1);
  const [top = '', votes = 0] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? [];
  if (counts.size <= 1) return { voters, majority: voters.length > 1 ? top : null, differing: [] };
  const decided = 2 * votes > voters.length && votes >= Math.max(2, minConsensus);
  if (!decided) return { voters, majority: null, differing: voters };
  return { voters, majority: top, differing: given.filter(([, digest]) => digest !== top).map(([rank]) => rank) };
}
