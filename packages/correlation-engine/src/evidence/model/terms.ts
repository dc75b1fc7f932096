// The plain data of the pure core, in this file and those beside it. Everything survives JSON.parse(JSON.stringify(x)) unchanged:
// no bigint, Date, Map, undefined member or NaN. Times are microseconds since the Unix epoch as safe integers. Proto enums keep
// their numbers (family, run kind); states and verdicts are words.

/** Number of `sentinel.v1.ProbeFamily`. */
export type Family = number;

/** Numbers of `sentinel.v1.RunKind`. */
export const RunKind = {
  SCHEDULED: 1,
  BURST: 2,
  FOLLOW_UP: 3,
  DEEP_TEST: 4,
  SIBLING: 5,
  RERUN: 6,
  CANARY: 7,
  JOB: 8,
} as const;

/** The agent ran a seed again by itself, on this SM or on others: no independent look at a unit. */
export function isRepetition(kind: number): boolean {
  return kind === RunKind.RERUN || kind === RunKind.SIBLING;
}

/** Bits of `sentinel.v1.ProbeBatch.RunFlag`. */
export const RunFlag = { GOLDEN_INTACT: 1, LOUD_FAULT: 2, GOLDEN_AGREED: 4 } as const;

export type HealthState = 'HEALTHY' | 'SUSPECT' | 'QUARANTINED' | 'DEEP_TEST' | 'CONDEMNED';
export type WouldBe = 'HEALTHY' | 'QUARANTINED' | 'CONDEMNED';
export type Verdict = 'PASS' | 'HOLD' | 'NOT_EVALUABLE';
export type GateName = 'integrity' | 'locality' | 'cohort' | 'dwell' | 'breadth' | 'node' | 'rate-limit';
export type Identity = 'certificate' | 'shared key';

/** One gate as it stood when last evaluated. `inputs` are what it looked at, as text, for `explain` and the ledger. */
export interface GateOutcome {
  number: number;
  name: GateName;
  verdict: Verdict;
  reason: string;
  inputs: Record<string, string>;
  evaluatedUs: number;
}
