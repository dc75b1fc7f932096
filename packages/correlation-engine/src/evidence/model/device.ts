import type { SoftSource } from '../soft/cusum.js';
import type { Trends } from '../soft/trends.js';
import type { Declined, DirectiveState, OutOfService, Proposal, Replaced, Returned } from './orders.js';
import type { GateOutcome, HealthState, Identity, WouldBe } from './terms.js';
import type { FamilyState, UnitName, UnitState } from './unit.js';

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
  /** It was out of use or elsewhere, and what was known of it then counts here. Absent = never. */
  returned?: Returned;
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
  /** null = it never had a mismatch. */
  told: ToldMismatches | null;
  /** Comparisons in jobs that it lost; absent = none. Replaced as a whole, never mutated. */
  jobs?: JobRounds;
}

/** What is needed to count a round of comparison once. Bounded. */
export interface JobRounds {
  /** Rounds that counted, newest first. */
  readonly counted: readonly JobRound[];
  /** Jobs in which it holds other bits than its replicas since it lost a comparison, newest first: later ones repeat that. */
  readonly diverged: readonly string[];
}

export interface JobRound {
  readonly type: string;
  readonly job: string;
  /** Of the device in the job; absent = the monitor did not say. */
  readonly rank?: number;
  readonly step: number;
  /** Event time. */
  readonly timeUs: number;
  /** Devices that gave the wrong answer together, itself among them; absent = it alone. */
  readonly together?: number;
}

/** What the ledger was told of a device's mismatches lately. Replaced as a whole, never mutated. */
export interface ToldMismatches {
  /** Told one by one since the device last had none for a while. */
  readonly inFull: number;
  /** Commit time of the newest of them, or of the newest sum. */
  readonly sinceUs: number;
  /** Those after them: one sum tells of them all. null = none. */
  readonly rest: MismatchSum | null;
}

export interface MismatchSum {
  readonly mismatches: number;
  /** Hard observations among them, and those made by a test build. */
  readonly counted: number;
  readonly injected: number;
  /** Event times of the oldest and the newest. */
  readonly firstUs: number;
  readonly lastUs: number;
  /** By name of the family. */
  readonly families: Readonly<Record<string, number>>;
}

/** Who may speak against a device. */
export type SignalSource = 'probe' | 'loud_fault' | 'canary' | 'anomaly' | 'job';

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
