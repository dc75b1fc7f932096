import { hash } from 'node:crypto';
import type { Family } from '../evidence/model/terms.js';
import type { TmrSettings } from './facts.js';

/** A device that could take part. */
export interface Candidate {
  readonly id: string;
  readonly node: string;
  readonly suspect: boolean;
  /** Families that it runs, with the cohort that makes results comparable. */
  readonly families: readonly { readonly family: Family; readonly cohort: string }[];
}

export interface Trio {
  readonly family: Family;
  readonly cohort: string;
  /** The first is the one that the choice began with. */
  readonly members: readonly [Candidate, Candidate, Candidate];
}

export interface Choice {
  readonly strategy: TmrSettings['selection_strategy'];
  /** Round robin goes on after this device. */
  readonly cursor: string;
  /** Unsigned 32-bit integer: all the randomness there is. */
  readonly seed: number;
}

/** The devices of the next canary; undefined = there are no three of one cohort. */
export function chooseTrio(candidates: readonly Candidate[], { strategy, cursor, seed }: Choice): Trio | undefined {
  const sorted = [...candidates].sort((a, b) => (a.id < b.id ? -1 : 1));
  const after = sorted.findIndex(({ id }) => id > cursor);
  const start = strategy === 'random' ? seed % Math.max(1, sorted.length) : Math.max(0, after);
  const turned = [...sorted.slice(start), ...sorted.slice(0, start)];
  const suspects = strategy === 'suspect_priority' ? turned.filter(({ suspect }) => suspect) : [];
  const members = membersByCohort(candidates);
  for (const first of [...suspects, ...turned]) {
    const shared = first.families.filter(({ cohort }) => (members.get(cohort) ?? 0) >= 3);
    const entry = shared[seed % Math.max(1, shared.length)];
    if (entry !== undefined) return trioAround(first, entry, turned);
  }
  return undefined;
}

function membersByCohort(candidates: readonly Candidate[]): Map<string, number> {
  const members = new Map<string, number>();
  for (const { families } of candidates)
    for (const { cohort } of families) members.set(cohort, (members.get(cohort) ?? 0) + 1);
  return members;
}

/** Two others that can be compared with this device, of other nodes where there are any. */
export function trioAround(
  first: Candidate,
  { family, cohort }: { family: Family; cohort: string },
  candidates: readonly Candidate[],
): Trio | undefined {
  const mates = candidates.filter(
    ({ id, families }) => id !== first.id && families.some((entry) => entry.cohort === cohort),
  );
  const second = mates.find(({ node }) => node !== first.node) ?? mates[0];
  const others = mates.filter((mate) => mate !== second);
  const third =
    others.find(({ node }) => node !== first.node && node !== second?.node) ??
    others.find(({ node }) => node !== first.node) ??
    others[0];
  return second === undefined || third === undefined ? undefined : { family, cohort, members: [first, second, third] };
}

/** An unsigned 32-bit integer, the same for every replay. */
export function seedOf(commitSeq: number, ordinal: number): number {
  return Number.parseInt(hash('sha256', JSON.stringify(['canary', commitSeq, ordinal])).slice(0, 8), 16);
}
