// The plain data of the pure core. Everything here survives JSON.parse(JSON.stringify(x)) unchanged: no bigint, Date, Map,
// undefined member or NaN. Times are microseconds since the Unix epoch as safe integers. Proto enums keep their numbers
// (family, run kind); states and verdicts are words.

/** Number of `sentinel.v1.ProbeFamily`. */
export type Family = number;

/** Numbers of `sentinel.v1.RunKind`. */
export const RunKind = { SCHEDULED: 1, BURST: 2, FOLLOW_UP: 3, DEEP_TEST: 4, SIBLING: 5, RERUN: 6 } as const;

/** Bits of `sentinel.v1.ProbeBatch.RunFlag`. */
export const RunFlag = { GOLDEN_INTACT: 1, LOUD_FAULT: 2, GOLDEN_AGREED: 4 } as const;

export type HealthState = 'HEALTHY' | 'SUSPECT' | 'QUARANTINED' | 'DEEP_TEST' | 'CONDEMNED';
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

/** What the device's agent said about one family at hello, and what has been seen of it since. */
export interface FamilyState {
  family: Family;
  probeVersion: number;
  selfTestSmsRun: number;
  selfTestSmsPassed: number;
  instructions: string[];
  /** Event time of the first clean run; null = none yet. A device is a clean member of its cohort only after one. */
  firstCleanUs: number | null;
  /** SMs that have not run this family yet; [] in the steady state. */
  uncoveredSms: number[];
}

/** One (family, SM) that computed at least one wrong result since its evidence was last reset. */
export interface UnitState {
  family: Family;
  sm: number;
  /** Hard observations that passed gates 1 and 2; those of them that were taken in answer to an earlier one. */
  counted: number;
  answers: number;
  /** Counted observations for which this unit alone was accused (enough siblings passed the same seed). */
  accused: number;
  /** Observations that were recorded but not counted, by the gate that held them. */
  heldByIntegrity: number;
  heldByLocality: number;
  firstUs: number;
  lastUs: number;
  /** Seed and wrong digest of the newest counted observation: breadth compares digests of the same seed. */
  lastEpoch: number;
  lastIndex: number;
  lastDigest: number;
  /** Clean deep-test executions since the deep test began or last failed. */
  deepTestClean: number;
}

export type DirectiveKind = 'burst' | 'follow-up' | 'deep-test';
export type DirectiveStatus = 'open' | 'done' | 'cancelled' | 'refused';

export interface TestUnit {
  family: Family;
  sm: number;
  executions: number;
}

/** Work ordered from the agent. Members that a kind does not use are 0 or []. */
export interface DirectiveState {
  id: string;
  kind: DirectiveKind;
  status: DirectiveStatus;
  family: Family;
  sm: number;
  /** Executions wanted in all (burst; deep test: per unit). */
  executions: number;
  /** Executions that ran to PASS or FAIL, and those that failed. */
  done: number;
  failures: number;
  windowMs: number;
  intervalMs: number;
  untilUs: number;
  units: TestUnit[];
  sweepSeconds: number;
  createdUs: number;
  /** When the agent's first execution for it arrived; null = not yet. */
  startedUs: number | null;
  reason: string;
}

/** A tested device. About 1 KiB as JSON while healthy; grows only with the units that failed. */
export interface DeviceState {
  id: string;
  node: string;
  identity: Identity;
  model: string;
  vendor: string;
  driverVersion: string;
  serial: string;
  note: string;
  sms: number[];
  families: FamilyState[];
  buildId: string;
  /** The agent now connected is a test build. */
  testBuild: boolean;
  state: HealthState;
  /** Observe mode: the state that enforce mode would have given. */
  wouldBe: 'QUARANTINED' | null;
  stateSinceUs: number;
  stateReason: string;
  /** Some of the evidence behind the present state came from a test build. */
  injectedEvidence: boolean;
  units: UnitState[];
  /** First and newest mismatch that made or kept the device SUSPECT; null = none. */
  firstObservationUs: number | null;
  lastObservationUs: number | null;
  /** Build ids that the present evidence came from, oldest first. */
  failingBuildIds: string[];
  /** The seven gates, in order, as last evaluated; [] before the first mismatch. */
  gates: GateOutcome[];
  /** Open directives, then the newest finished ones (bounded). */
  directives: DirectiveState[];
  /** When time alone may next change something; null = never. */
  dueUs: number | null;
}

/** A node that said hello. */
export interface NodeState {
  node: string;
  buildId: string;
  testBuild: boolean;
  connected: boolean;
  /** Engine clock minus agent clock, measured at hello. */
  offsetUs: number;
  /** Newest event time taken from this node: event times never go back. */
  lastEventUs: number;
  registeredUs: number;
  deviceIds: string[];
}

/** One node's newest mismatch in one (cohort, family), for gate 5. */
export interface BreadthEntry {
  node: string;
  /** When the node newly failed: its first mismatch after 7 days without one. */
  newUs: number;
  lastUs: number;
  epoch: number;
  index: number;
  digest: number;
}

/** What belongs to no single device or node. */
export interface FleetFacts {
  /** Commit times of automatic quarantines of the last 24 h, for gate 7. */
  automaticQuarantinesUs: number[];
  /** Newly failing nodes of the last 7 days by cohort key. */
  breadth: Record<string, BreadthEntry[]>;
}

/** What operators may change. Units are in the names; sources are the keys of `correlation_engine` named beside each. */
export interface CoreConfig {
  /** `mode` */
  mode: 'observe' | 'enforce';
  /** `bayesian_model.prior_alpha`, `.prior_beta`: of the displayed score. */
  priorAlpha: number;
  priorBeta: number;
  /** `state_machine.reinstatement_pass_count` */
  reinstatementPassCount: number;
  gates: {
    /** `gates.burst_executions`, `gates.burst_window_seconds` */
    burstExecutions: number;
    burstWindowSeconds: number;
    /** `gates.follow_up_interval_ms`, `gates.follow_up_days` */
    followUpIntervalMs: number;
    followUpDays: number;
    /** `gates.suspect_clear_days` */
    suspectClearDays: number;
    /** `gates.cohort_min_gpus`, `gates.cohort_min_nodes`, `gates.cohort_selftest_fraction` */
    cohortMinGpus: number;
    cohortMinNodes: number;
    cohortSelftestFraction: number;
    /** `gates.dwell_seconds`, `gates.dwell_small_seconds` (below 3 registered nodes) */
    dwellSeconds: number;
    dwellSmallSeconds: number;
    /** `gates.breadth_min_nodes`, `gates.breadth_tail` */
    breadthMinNodes: number;
    breadthTail: number;
    /** `gates.rate_limit.{hour_min,hour_fraction,day_min,day_fraction}` */
    rateLimitHourMin: number;
    rateLimitHourFraction: number;
    rateLimitDayMin: number;
    rateLimitDayFraction: number;
    /** `gates.deep_test_seconds` */
    deepTestSeconds: number;
  };
}
