import type { Difference } from './difference.js';

/** A place where the replay and the store disagree. */
export interface Disagreement extends Difference {
  /** For example "transitions of record 17" or "device GPU-…". */
  what: string;
  /** The record that first decided otherwise; null = all decisions are the same, and what is stored at their end is not. */
  commitSeq: number | null;
}

/** Kinds of what is compared: rows of decisions, and what is stored at the end of the log. */
export type Compared =
  | 'transitions'
  | 'observations'
  | 'orders'
  | 'directives'
  | 'events'
  | 'devices'
  | 'nodes'
  | 'saved'
  | 'facts'
  | 'counters'
  | 'proposals'
  | 'snapshots'
  | 'spools';

export interface ReplayReport {
  records: number;
  /** How many of each were compared; absent = none. */
  compared: Partial<Record<Compared, number>>;
  /** What was not compared and why, as sentences. */
  notCompared: string[];
  /** SHA-256 over every transition and event in order: equal for equal decisions. */
  digest: string;
  /** null = every byte is the same. */
  disagreement: Disagreement | null;
  /** The record that differs was decided before this version's schema was there: by an earlier release. */
  decidedByEarlierRelease: boolean;
}

export function named(
  what: string,
  commitSeq: number | null,
  difference: Difference | undefined,
): Disagreement | undefined {
  return difference === undefined ? undefined : { what, commitSeq, ...difference };
}
