import type { Family } from './terms.js';

/** What the device's agent said about one family at hello, and what has been seen of it since. */
export interface FamilyState {
  family: Family;
  probeVersion: number;
  /** Key of the cohort: see cohorts.ts. */
  cohort: string;
  selfTestSmsRun: number;
  selfTestSmsPassed: number;
  instructions: string[];
  /** Event time of the first clean run; null = none yet. A device is a clean member of its cohort only after one. */
  firstCleanUs: number | null;
  /** SMs that have not run this family yet; [] in the steady state. */
  uncoveredSms: number[];
}

/** Odds of a defect of one unit, as its newest failure left them, and what ran cleanly since. Replaced as a whole, never mutated. */
export interface UnitPosterior {
  /** Natural logarithms, one per failure probability of the grid. */
  readonly lnOdds: readonly number[];
  /** Event time of the failure. */
  readonly sinceUs: number;
  /** Clean executions since, in circumstances in which the unit failed before, and in others. */
  readonly same: number;
  readonly other: number;
  /** Set of the bins (posterior/bins.ts) that it failed in: bit b = bin b. */
  readonly bins: number;
}

/** One (family, SM), or what the device does in jobs (family JOB, SM 0), that gave at least one wrong result since the device's evidence was last reset. Replaced as a whole, never mutated. */
export interface UnitState {
  readonly family: Family;
  readonly sm: number;
  /** Hard observations (they passed gates 1 and 2); those of them that were taken in answer to an earlier one. */
  readonly counted: number;
  readonly answers: number;
  /** Counted observations for which this unit alone was accused (enough siblings passed the same seed). */
  readonly accused: number;
  /** Its counted observations are of canaries that all or most SMs of the device lost, or of comparisons in jobs: `sm` stands for them; absent = they are its own. */
  readonly ofWholeDevice?: true;
  /** Observations that no other SM could check (gate 2 NOT_EVALUABLE): a suspicion, not counted. */
  readonly unlocated: number;
  /** Observations that were counted until a breadth incident explained them. */
  readonly excused: number;
  /** What the newest incident took from it, in case that incident is released after all; absent = nothing. */
  readonly setAside?: SetAside;
  readonly firstUs: number;
  readonly lastUs: number;
  /** Seed and wrong digest of the newest scheduled observation: breadth compares digests of one seed. epoch 0 = none. */
  readonly epoch: number;
  readonly index: number;
  readonly digest: number;
  /** Clean executions since the newest mismatch, counted while the device is SUSPECT. */
  readonly clean: number;
  /** Clean executions in the open deep test; 0 again after a failure in it. */
  readonly deepTestClean: number;
  /** The same in circumstances in which the unit never failed: they weigh less. */
  readonly deepTestOther: number;
  /** Failing runs in a row, without a clean one between them; the agent's own reruns do not count. */
  readonly consecutive: number;
  /** null = this unit alone was never accused: it is judged like one that never failed. */
  readonly posterior: UnitPosterior | null;
  /** When a deep test cleared it, after which it is on probation; null = never. */
  readonly reinstatedUs: number | null;
}

/** Evidence against a unit, as far as an incident may take it back. */
export type SetAside = Pick<UnitState, 'counted' | 'answers' | 'accused' | 'consecutive' | 'posterior'>;

/** A unit that failed. */
export interface UnitName {
  readonly family: Family;
  readonly sm: number;
}

/** What one (device, family) has executed, over its whole life. */
export interface Exposure {
  runs: number;
  /** (run, SM) pairs that ran to a PASS or FAIL. */
  executions: number;
  failures: number;
  /** Planned (run, SM) pairs that ended as neither. */
  notRun: number;
  /** Event times of the oldest and the newest run. */
  firstRunUs: number;
  lastRunUs: number;
}
