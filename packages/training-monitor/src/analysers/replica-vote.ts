/** What replicas hold after one step. */
export interface ReplicaVote {
  /** Ranks that voted. */
  readonly voters: readonly number[];
  /** What more than half of them have; null = no such thing. */
  readonly majority: string | null;
  /** Those that differ from the majority, or all voters where there is none and they differ. */
  readonly differing: readonly number[];
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
