import type { CanaryOutcome } from './facts.js';

/** What one device computed, by position of its SMs; 0 = that SM did not run. */
export interface Ballot {
  readonly deviceId: string;
  readonly digests: readonly number[];
}

/** A device that computed something else than the majority, and the positions of the SMs that did. */
export interface Dissent {
  readonly deviceId: string;
  readonly positions: readonly number[];
}

export interface Verdict {
  readonly outcome: CanaryOutcome;
  /** What at least two devices computed; 0 = no two did. */
  readonly digest: number;
  readonly dissents: readonly Dissent[];
}

/** Devices that a vote needs, and those of them that must agree. */
const VOTERS = 3;
const MAJORITY = 2;

/**
 * Two of three: a device is outvoted by two others that computed the same. The golden has no say, so a wrong golden hides nothing.
 * With fewer answers there is no vote, and without two that agree nobody is accused. The order of the ballots does not matter.
 */
export function vote(ballots: readonly Ballot[]): Verdict {
  const voters = ballots.filter((ballot) => ballot.digests.some((digest) => digest !== 0));
  if (voters.length < VOTERS) return { outcome: 'TIMEOUT', digest: 0, dissents: [] };
  const votes = voters.map((ballot) => digestOf(ballot.digests));
  const digest = votes.find((mine) => mine !== 0 && votes.filter((other) => other === mine).length >= MAJORITY);
  if (digest === undefined) return { outcome: 'NO_MAJORITY', digest: 0, dissents: [] };
  const dissents = voters
    .map(({ deviceId, digests }) => ({ deviceId, positions: positionsThatDiffer(digests, digest) }))
    .filter(({ positions }) => positions.length > 0);
  return { outcome: dissents.length === 0 ? 'AGREED' : 'DISSENT', digest, dissents };
}

/** What more than half of the SMs that ran computed; 0 = nothing. */
export function digestOf(digests: readonly number[]): number {
  const ran = digests.filter((digest) => digest !== 0);
  return ran.find((mine) => 2 * ran.filter((other) => other === mine).length > ran.length) ?? 0;
}

function positionsThatDiffer(digests: readonly number[], digest: number): number[] {
  return digests.flatMap((mine, position) => (mine !== 0 && mine !== digest ? [position] : []));
}
