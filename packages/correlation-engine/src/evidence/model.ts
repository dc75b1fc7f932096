// The plain data of the pure core. Everything here survives JSON.parse(JSON.stringify(x)) unchanged: no bigint, Date, Map,
// undefined member or NaN. Times are microseconds since the Unix epoch as safe integers. Proto enums keep their numbers
// (family, run kind); states and verdicts are words.

import type { TmrSettings, TrustGraphSettings } from '../canary/facts.js';
import type { SoftSource } from './soft/cusum.js';
import type { Trends } from './soft/trends.js';

/** Number of `sentinel.v1.ProbeFamily`. */
export type Family = number;

/** Numbers of `sentinel.v1.RunKind`. */
export const RunKind = { SCHEDULED: 1, BURST: 2, FOLLOW_UP: 3, DEEP_TEST: 4, SIBLING: 5, RERUN: 6, CANARY: 7 } as const;

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

/** One (family, SM) that computed at least one wrong result since the device's evidence was last reset. Replaced as a whole, never mutated. */
export interface UnitState {
  readonly family: Family;
  readonly sm: number;
  /** Hard observations (they passed gates 1 and 2); those of them that were taken in answer to an earlier one. */
  readonly counted: number;
  readonly answers: number;
  /** Counted observations for which this unit alone was accused (enough siblings passed the same seed). */
  readonly accused: number;
  /** Observations that no other SM could check (gate 2 NOT_EVALUABLE): a suspicion, not counted. */
  readonly unlocated: number;
  /** Observations that were counted until a breadth incident explained them. */
  readonly excused: number;
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
  /** When the agent's first execution for it arrived, and when the agent said that it was done; null = not yet. */
  startedUs: number | null;
  agentDoneUs: number | null;
  /** Deep test: when the failing units had their clean executions, and the clean executions of the sweep since. */
  unitsCleanUs: number | null;
  sweepClean: number;
  reason: string;
}

/** What an operator may order, and the engine may do by itself where nothing holds it. */
export type OperatorAction = 'QUARANTINE' | 'REINSTATE' | 'SCHEDULE_DEEP_TEST' | 'CONDEMN';

/**
 * Why an action waits: an operator asked for a second one; `require_approval` is set; the rate limit of automatic
 * quarantines is used up; the device was out of service for too long; a deep test showed the fault again; or it was passed, and
 * the score stays below `quarantine_to_healthy_threshold` all the same.
 */
export type ProposalCause =
  | 'operator'
  | 'require-approval'
  | 'rate-limit'
  | 'max-quarantine'
  | 'reproduced'
  | 'low-score';

/** An action that waits until an operator approves it (PENDING). */
export interface Proposal {
  /** Of the operator's directive, or made by the engine. */
  id: string;
  action: OperatorAction;
  cause: ProposalCause;
  /** One sentence. */
  reason: string;
  /** Who asked; '' = the engine. */
  proposedBy: string;
  proposedUs: number;
  expiresUs: number;
  /** What whoever asked says that speaks for it; absent = nothing. */
  evidence?: readonly string[];
}

/** The engine's newest proposal of an action that nobody approved: it is not made again at once. */
export interface Declined {
  action: OperatorAction;
  /** An operator said no, or nobody said anything in time. */
  how: 'REJECTED' | 'EXPIRED';
  declinedUs: number;
}

/** Since when a device is out of service, and whether by the engine's decision; an approved one counts as the engine's. Replaced as a whole. */
export interface OutOfService {
  readonly sinceUs: number;
  readonly byEngine: boolean;
  /** Deep tests since then that failed or that its agent refused, and when the newest of them ended; null = none. */
  readonly failedTests: number;
  readonly testedUs: number | null;
}

export interface Replaced {
  /** Id of the device that is there now. */
  by: string;
  us: number;
}

/** A tested device. About 1 KiB as JSON while healthy; grows only with the units that failed. */
export interface DeviceState {
  id: string;
  node: string;
  identity: Identity;
  model: string;
  vendor: string;
  driverVersion: string;
  /** '' = none, or not known. */
  vbiosVersion: string;
  cudaVersion: string;
  serial: string;
  /** Where it sits; '' = not known. */
  slot: string;
  /** Other hardware took its place: what is here is history. null = it is still there, as far as is known. */
  replaced: Replaced | null;
  note: string;
  sms: number[];
  families: FamilyState[];
  /** The newest hello of its node named it. */
  announced: boolean;
  buildId: string;
  /** The agent now connected is a test build. */
  testBuild: boolean;
  state: HealthState;
  /** Observe mode: the state that enforce mode would have given, or would have asked an operator for. */
  wouldBe: WouldBe | null;
  stateSinceUs: number;
  stateReason: string;
  /** Who ordered the present state; '' = the engine decided. */
  stateActor: string;
  /** null = in service. */
  out: OutOfService | null;
  /** Actions that wait for an operator: at most one of each. */
  proposals: Proposal[];
  /** At most one of each action; forgotten when the device leaves or returns to service. */
  declined: Declined[];
  /** Some of the evidence behind the present state came from a test build. */
  injectedEvidence: boolean;
  /** Replaced as a whole, never mutated: a device may have thousands, and a record touches few. */
  units: readonly UnitState[];
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
  /** Loud faults that its agent reported, and the newest of them; null = none. */
  loudFaults: LoudFaults | null;
  /** null = nothing has spoken against it since its evidence was last reset. */
  signals: DeviceSignals | null;
  /** Patterns that hold now, by name. */
  patterns: PatternState[];
  /** Units whose defect is certain: reproduced in a deep test, or condemned. Bounded. */
  confirmed: UnitName[];
  /** Anomalies that monitors saw, loud faults and trends of telemetry, by source. Bounded. */
  soft: SoftSource[];
  /** What telemetry said last of the counters that soft evidence is made of; null = nothing yet. */
  trends: Trends | null;
}

/** Who may speak against a device. */
export type SignalSource = 'probe' | 'loud_fault' | 'canary' | 'anomaly';

/** What the observations of a device have in common, counted as they come. Replaced as a whole, never mutated. */
export interface DeviceSignals {
  /** SM of the first failing scheduled run; null = none yet. Failing scheduled executions on it, and on other SMs. */
  readonly sm: number | null;
  readonly onSm: number;
  readonly elsewhere: number;
  /** Event time of the newest signal of each source. */
  readonly lastUs: Readonly<Partial<Record<SignalSource, number>>>;
  /** By class of temperature (posterior/bins.ts), since the first failure: executions of units that failed, and those that failed again. */
  readonly executions: readonly number[];
  readonly failures: readonly number[];
}

export type PatternName =
  | 'MULTI_SIGNAL'
  | 'SM_LOCALIZED'
  | 'ENVIRONMENTAL'
  | 'NODE_CORRELATED'
  | 'FIRMWARE_CORRELATED'
  | 'TMR_CONFIRMED'
  | 'PROBE_OR_SOFTWARE';

/** A pattern as it stood when it was found. */
export interface PatternState {
  name: PatternName;
  /** Commit time. */
  sinceUs: number;
  /** 1 - the probability that chance alone shows the pattern as clearly. */
  confidence: number;
  /** One sentence, with its figures. */
  evidence: string;
}

export interface LoudFaults {
  count: number;
  lastUs: number;
  /** For a person, e.g. "Xid 79 on GPU-…". */
  lastDetail: string;
}

/** A node that said hello. */
export interface NodeState {
  node: string;
  buildId: string;
  testBuild: boolean;
  identity: Identity;
  connected: boolean;
  /** Engine clock minus agent clock, measured at hello. */
  offsetUs: number;
  /** Newest event time taken from this node: event times never go back. */
  lastEventUs: number;
  registeredUs: number;
  deviceIds: string[];
  /** What operators said about probing; absent = nothing yet. */
  control?: NodeControl;
  /** By cohort key; bounded. Absent = none of its devices ever failed. Replaced as a whole. */
  failing?: Record<string, NodeFailing>;
  /** Devices that an operator called faulty themselves: they do not speak against the node until then. */
  released?: { untilUs: number; devices: string[] };
  /** When all devices of the node were last asked for a burst because one of them failed. */
  matesAskedUs?: number;
  /** Families for which its golden differs from that of most others. Absent = it never did. Replaced as a whole. */
  brokenGoldens?: readonly BrokenGolden[];
}

export interface BrokenGolden {
  readonly family: Family;
  readonly sinceUs: number;
  /** Seeds in a row for which it has agreed since. */
  readonly agreed: number;
}

/** Orders about probing that hold until they are replaced. */
export interface NodeControl {
  /** untilUs 0 = until resumed. */
  pauses: { gpu: string; untilUs: number; reason: string }[];
  /** Null = the agent's own file. */
  schedule: { yaml: string; version: string } | null;
}

/** How a node fails in one (cohort, family), for gate 5. */
export interface NodeFailing {
  /** When the node newly failed: its first mismatch after 7 days without one. */
  newUs: number;
  /** When it failed again, which passing faults hardly do; null = it did not. */
  againUs: number | null;
  lastUs: number;
  /** Seed of the newest scheduled mismatch, whose wrong digest is counted in the cohort; epoch 0 = none. */
  epoch: number;
  index: number;
}

export interface BreadthEntry extends NodeFailing {
  node: string;
}

/** How many nodes gave which wrong digest for one seed. */
export interface SeedVotes {
  epoch: number;
  index: number;
  /** Nodes that gave any. */
  voters: number;
  /** The most frequent; bounded. */
  digests: { digest: number; nodes: number }[];
}

/** One (cohort, family) in which devices fail. Replaced as a whole, never mutated. */
export interface CohortFailures {
  /** Nodes that failed within 7 days, the one with the newest mismatch first; bounded. */
  nodes: readonly BreadthEntry[];
  /** Newest seed first; bounded. */
  votes: readonly SeedVotes[];
  /** Mismatches by chance that a healthy device is expected to show per hour, and devices on its node, as of the newest failing device. */
  chancePerHour: number;
  devicesPerNode: number;
  /** An operator said that what failed until then is hardware; 0 = nobody did. */
  releasedUs: number;
}

/** Too many nodes fail alike for a fault of their devices; or too many devices of one node. */
export type IncidentPattern = 'PROBE_OR_SOFTWARE' | 'NODE_CORRELATED';
/**
 * OPEN and CONFIRMED hold quarantines. CONFIRMED: an operator agrees that it is no fault of the devices, and what it explains does
 * not count against them. RELEASED: an operator says that it is. CLOSED: it fell quiet.
 */
export type IncidentState = 'OPEN' | 'CONFIRMED' | 'RELEASED' | 'CLOSED';

export interface Incident {
  id: string;
  pattern: IncidentPattern;
  state: IncidentState;
  /** Key of the cohort; '' for a fault of a node. */
  cohort: string;
  /** '' for a fault of a cohort. */
  node: string;
  openedUs: number;
  /** When it was released or closed; null = it holds. */
  endedUs: number | null;
  /** Why it was opened, for a person. */
  reason: string;
  /** Distinct nodes that failed, and the first of them. */
  nodeCount: number;
  nodes: string[];
  /** Devices of the node that failed; [] for a fault of a cohort. */
  devices: string[];
  /** Most frequent wrong digest, once the incident ended; null = none yet, or the digests differ. */
  modalDigest: number | null;
  /** A directive to cordon the node went out. */
  cordoned: boolean;
  injected: boolean;
  /** Who confirmed or released it, and why; '' = nobody. */
  actor: string;
  actorReason: string;
}

/** What belongs to no single device or node. */
export interface FleetFacts {
  /** Commit times of automatic quarantines of the last 24 h, for gate 7. */
  automaticQuarantinesUs: number[];
  /** By cohort key; bounded. */
  failing: Record<string, CohortFailures>;
  /** Those that hold, then those that ended, the newest first; bounded. */
  incidents: Incident[];
  /** When all held devices are looked at again because a device, a node or a cohort changed; null = nothing changed. */
  reviewUs: number | null;
  /** Confirmed devices by model (posterior/shrinkage.ts has the key). */
  confirmed: Record<string, number>;
  rates: LearnedRates;
  soft: SoftFacts;
}

/** What is known of the sources of soft events, and of the jobs that the newest of them ran in. Bounded; replaced, never mutated. */
export interface SoftFacts {
  sources: Record<string, { sinceDay: number; events: number }>;
  jobs: Record<string, { day: number; events: number; gpus: number }>;
}

/** What healthy devices show, as last learned from the whole fleet. */
export interface LearnedRates {
  /** When it is learned again; null = no wrong result asks for it. */
  dueUs: number | null;
  /** By cohort key, of cohorts with wrong results alone: what their healthy devices ran, and how often that was wrong. */
  cohorts: Record<string, { executions: number; failures: number }>;
  /** Years of service by model. */
  years: Record<string, number>;
}

/** `correlation_engine.gates` of the configuration, under its own names: there are the units, defaults and sources. */
export interface GateSettings {
  readonly locality_same_digest: number;
  readonly locality_passing_fraction: number;
  readonly cohort_min_gpus: number;
  readonly cohort_min_nodes: number;
  readonly cohort_selftest_fraction: number;
  readonly dwell_seconds: number;
  readonly dwell_small_seconds: number;
  readonly small_fleet_nodes: number;
  readonly breadth_nodes: number;
  readonly breadth_poisson_tail: number;
  readonly rate_limit: {
    readonly hour_min: number;
    readonly hour_fraction: number;
    readonly day_min: number;
    readonly day_fraction: number;
  };
  readonly burst_executions: number;
  readonly burst_seconds: number;
  readonly followup_days: number;
  readonly followup_interval_ms: number;
  readonly deep_test_seconds: number;
  readonly deep_test_after_hours: number;
}

/** `correlation_engine.attribution` of the configuration, under its own names: there are the units, defaults and sources. */
export interface AttributionSettings {
  readonly unit_defects_per_gpu_year: number;
  readonly gpu_defects_per_gpu_year: number;
  readonly node_faults_per_node_year: number;
  readonly cohort_faults_per_year: number;
  readonly healthy_failure_rate: number;
  readonly quarantine_odds: number;
  readonly other_bin_weight: number;
  readonly failure_probabilities: readonly number[];
}

/** `correlation_engine.correlation` of the configuration. */
export interface CorrelationSettings {
  readonly windowSeconds: number;
  readonly minConfidence: number;
}

/** What operators may change, all of it while the engine runs. The shell takes it from `correlation_engine`. */
export interface CoreConfig {
  readonly mode: 'observe' | 'enforce';
  readonly gates: GateSettings;
  /** `state_machine.reinstatement_pass_count` */
  readonly reinstatementPassCount: number;
  /** `state_machine.max_quarantine_hours`, `require_approval`, `approval_expiry_hours` and `approve_own_proposals` */
  readonly maxQuarantineHours: number;
  readonly requireApproval: boolean;
  readonly approvalExpiryHours: number;
  readonly approveOwnProposals: boolean;
  /** `bayesian_model.prior_alpha` and `prior_beta`: of the displayed score only. */
  readonly priorAlpha: number;
  readonly priorBeta: number;
  /** `bayesian_model.decay_half_life_hours`: of how much was seen, as the displayed score shows it. */
  readonly halfLifeHours: number;
  readonly attribution: AttributionSettings;
  readonly correlation: CorrelationSettings;
  /** Displayed scores of `state_machine`; they act through the odds that they stand for. */
  readonly thresholds: { readonly suspect: number; readonly quarantine: number; readonly healthy: number };
  /** `state_machine.immediate_quarantine_failures` */
  readonly immediateQuarantineFailures: number;
  readonly tmr: TmrSettings;
  readonly trust_graph: TrustGraphSettings;
  /** Keys of cohorts that an operator signed for (`cohort_manifest`). */
  readonly vouchedCohorts: readonly string[];
  /** Until when they did; null = without an end. */
  readonly vouchedUntilUs: number | null;
}
