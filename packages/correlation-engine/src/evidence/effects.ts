import type { ClosedCanary, TrustSnapshot } from '../canary/facts.js';
import type { Proposal, TestUnit } from './model/orders.js';
import type { Family, GateName, HealthState } from './model/terms.js';

/** Additions to the counters of one (device, family). */
export interface CounterIncrement {
  deviceId: string;
  family: Family;
  runs: number;
  /** (run, SM) pairs that ran to a PASS or FAIL. */
  executions: number;
  failures: number;
  /** Planned (run, SM) pairs that ended as neither. */
  notRun: number;
  /** Event times of the oldest and the newest of these runs. */
  firstRunUs: number;
  lastRunUs: number;
}

/** One failing (run, SM). (node, spoolId, sequence, row, sm) identifies it. Words are unsigned 32-bit integers. */
export interface ObservationEffect {
  deviceId: string;
  node: string;
  spoolId: string;
  sequence: number;
  /** Row of the batch. */
  row: number;
  commitSeq: number;
  /** Event time. */
  timeUs: number;
  family: Family;
  sm: number;
  kind: number;
  epoch: number;
  index: number;
  lane: number;
  iteration: number;
  operands: number[];
  expected: number[];
  actual: number[];
  expectedDigest: number;
  actualDigest: number;
  mismatchCount: number;
  siblingsRun: number;
  siblingsPassed: number;
  siblingsSameDigest: number;
  smStable: boolean;
  /** On a GPU alone, as the next three. */
  warp: number | undefined;
  subPartition: number | undefined;
  withinIterations: number | undefined;
  address: number | undefined;
  /** A hard observation of the decision; otherwise `heldBy` names the gate. */
  counted: boolean;
  /** A counted observation taken in answer to an earlier one. */
  answer: boolean;
  heldBy: GateName | null;
  injected: boolean;
}

export interface TransitionEffect {
  deviceId: string;
  timeUs: number;
  from: HealthState;
  to: HealthState;
  reason: string;
  injected: boolean;
  /** 32 hex digits: the id of this transition's outbox event. */
  eventId: string;
  commitSeq: number;
  /** Who ordered it; '' for the engine itself. */
  actor: string;
  /** What the operator says that speaks for it. */
  evidence: readonly string[];
}

/** How a proposal stands after this record. WITHDRAWN = it became pointless before anyone answered. */
export type ProposalOutcome = 'PENDING' | 'APPROVED' | 'REJECTED' | 'EXPIRED' | 'WITHDRAWN';

/** A proposal that was made or ended. */
export interface ProposalEffect {
  deviceId: string;
  proposal: Proposal;
  outcome: ProposalOutcome;
  /** Who ended it; '' while it waits, and where nobody did. */
  decidedBy: string;
  /** 0 while it waits. */
  decidedUs: number;
  decisionReason: string;
  /** Of the transition that the approval made; null = none. */
  eventId: string | null;
}

/** What remains of a directive: the body of the message for the agent. */
export type Work =
  | { kind: 'burst'; family: Family; sm: number; executions: number; windowMs: number }
  | { kind: 'follow-up'; family: Family; sm: number; intervalMs: number; untilUs: number }
  | { kind: 'deep-test'; units: TestUnit[]; sweepSeconds: number; preferHot: boolean }
  | { kind: 'canary'; family: Family; epoch: number; index: number; canaryId: string };

export interface DirectiveSend {
  op: 'send';
  node: string;
  deviceId: string;
  id: string;
  work: Work;
}

export interface DirectiveCancel {
  op: 'cancel';
  node: string;
  deviceId: string;
  id: string;
}

/** For the agent that is connected as `node`; if none is, the next hello repeats what is unfinished, except canaries: nobody waits for them. */
export type DirectiveEffect = DirectiveSend | DirectiveCancel;

export type FleetAction = 'QUARANTINE' | 'REINSTATE' | 'CONDEMN' | 'DEEP_TEST' | 'CORDON' | 'UNCORDON';

/** What an orchestrator is to do: take a device or a node out of service, or back. */
export interface FleetDirective {
  /** The same for every replay. */
  id: string;
  action: FleetAction;
  /** '' = the node as a whole. */
  gpu: string;
  node: string;
  reason: string;
  /** Who ordered it; '' = the engine. */
  actor: string;
  /** State of the device before and after; null = of a node. */
  from: HealthState | null;
  to: HealthState | null;
  /** Event time. */
  timeUs: number;
  injected: boolean;
}

export type AuditTypeName = 'PROBE' | 'ANOMALY' | 'DECISION' | 'CONFIGURATION' | 'SYSTEM' | 'APPROVAL';

/** One event for the audit ledger (and, later, alerts), delivered through the outbox. */
export interface OutboxEvent {
  /** 32 hex digits, see event-id.ts. */
  eventId: string;
  type: AuditTypeName;
  gpu: string;
  eventUs: number;
  injected: boolean;
  /** JSON object with a string member `event`; numbers are safe integers or short decimals. */
  detail: EventDetail;
}

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };
export interface EventDetail {
  [key: string]: JsonValue;
  event: string;
}

/** Rows of a batch that say something about no device of the sender; counted, never silently dropped. */
export interface IgnoredRows {
  node: string;
  deviceId: string;
  rows: number;
  mismatches: number;
}

/** A device keeps its history under another id: different hardware has its old one now. */
export interface MovedDevice {
  from: string;
  to: string;
}

/**
 * What bounded memory gave up, or did not take: a cohort or a node of one that failed, an incident that was not opened or that ended, a
 * golden that was not compared because too many cohorts are, a canary that was not opened, the count of tie-breaks of a suspect, an edge
 * of the trust graph, a source or a job of soft events, hardware that was taken out, a device
 * that two nodes name, a round of comparison in a job, how many events of a
 * kind the ledger was told of.
 */
export const FORGETTABLE = [
  'failing_cohort',
  'failing_node',
  'incident',
  'ended_incident',
  'golden_cohort',
  'canary',
  'claim',
  'tie_break',
  'trust_edge',
  'soft_source',
  'soft_job',
  'archived_device',
  'job_round',
  'job_events',
  'saved_digest',
] as const;
export type Forgettable = (typeof FORGETTABLE)[number];

/** An answer of the engine to one comparison of a job. */
export interface ComparisonEffect {
  /** Name of an `AnomalyType`. */
  type: string;
  outcome: ComparisonOutcome;
}

/**
 * COUNTED = it accuses a device. SHARED = it accuses devices that answered together, each a little. REPEATED = the device was accused of it already. NOT_ITS_DEVICE = a device lost, of which this monitor
 * may not speak. NOT_AS_SAVED = a loaded checkpoint has other digests than the job was seen to save. The others are those of the vote.
 */
export type ComparisonOutcome =
  | 'COUNTED'
  | 'SHARED'
  | 'REPEATED'
  | 'NOT_ITS_DEVICE'
  | 'NOT_AS_SAVED'
  | 'AGREED'
  | 'NO_MAJORITY'
  | 'TOO_FEW';

/** Why an operator's order was not carried out. */
export interface Refusal {
  code: 'NOT_FOUND' | 'ILLEGAL_TRANSITION' | 'CONFLICT' | 'EXPIRED' | 'SECOND_PERSON_NEEDED';
  message: string;
  hint: string;
  /** The field of the request that is wrong; absent = that which names the subject. */
  field?: 'directive_id';
}

/** What one record did, besides the changed state. Arrays that nothing touched are shared and empty. */
export interface Effects {
  /** Before everything else of this record. */
  moved: readonly MovedDevice[];
  counters: readonly CounterIncrement[];
  observations: readonly ObservationEffect[];
  transitions: readonly TransitionEffect[];
  proposals: readonly ProposalEffect[];
  directives: readonly DirectiveEffect[];
  /** For orchestrators, in order. */
  fleetDirectives: readonly FleetDirective[];
  closedCanaries: readonly ClosedCanary[];
  /** The trust graph, to be kept as it is now. */
  trustSnapshots: readonly TrustSnapshot[];
  outbox: readonly OutboxEvent[];
  /** Nodes whose agents are told anew what operators said about probing. */
  controls: readonly string[];
  ignored: readonly IgnoredRows[];
  comparisons: readonly ComparisonEffect[];
  forgotten: Readonly<Partial<Record<Forgettable, number>>>;
  /** Only for records of operators. */
  refusal: Refusal | null;
}
