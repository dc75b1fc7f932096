import type { AnomalyRecord, ComparisonRecord, MonitorReportRecord } from './job-record.js';
import type { OperatorAction } from './model/orders.js';
import type { CoreConfig } from './model/settings.js';
import type { Identity } from './model/terms.js';

/** Order and time of the commit that a record belongs to. The core knows no other clock. */
export interface CommitContext {
  /** >= 1, strictly increasing from record to record: one transaction may commit many records, each with its own. */
  commitSeq: number;
  /** Engine's wall clock when the commit was built. */
  nowUs: number;
}

export interface HelloFamily {
  family: number;
  probeVersion: number;
  selfTestSmsRun: number;
  selfTestSmsPassed: number;
  instructions: readonly string[];
}

export interface HelloDevice {
  id: string;
  model: string;
  vendor: string;
  sms: readonly number[];
  driverVersion: string;
  /** Absent or '' = none, or an agent of an earlier release. */
  vbiosVersion?: string;
  cudaVersion?: string;
  serial: string;
  /** Absent = not known. */
  slot?: string;
  note: string;
  families: readonly HelloFamily[];
}

/** A completed hello: the node proved that it holds its key. */
export interface HelloRecord {
  kind: 'hello';
  node: string;
  identity: Identity;
  buildId: string;
  testBuild: boolean;
  agentTimeUs: number;
  devices: readonly HelloDevice[];
}

/** Where an uplink record came from: authentic, in sequence, not seen before (the shell's watermark). */
export interface UplinkOrigin {
  node: string;
  /** 32 lower-case hex digits. */
  spoolId: string;
  sequence: number;
  buildId: string;
  testBuild: boolean;
}

/** Columns of `sentinel.v1.ProbeBatch`, as decoded: the generated type is assignable to this one. */
export interface RunColumns {
  readonly baseTimeUs: bigint;
  readonly deviceIds: readonly string[];
  readonly directiveIds: readonly string[];
  readonly deviceIndex: readonly number[];
  readonly family: readonly number[];
  readonly kind: readonly number[];
  readonly epoch: readonly number[];
  readonly index: readonly number[];
  readonly startOffsetUs: readonly number[];
  readonly durationUs: readonly number[];
  readonly smsPlanned: readonly number[];
  readonly smsRun: readonly number[];
  readonly singleSm: readonly number[];
  readonly flags: readonly number[];
  readonly goldenDigest: readonly number[];
  readonly directiveIndex: readonly number[];
  readonly contextIndex: readonly number[];
  readonly contexts: readonly RunContext[];
  readonly partial: readonly { readonly run: number; readonly ran: Uint8Array }[];
  readonly mismatches: readonly Mismatch[];
  readonly outcomes: readonly { readonly run: number; readonly sm: number; readonly result: number }[];
  /** What each SM of the device computed in a run of kind CANARY, by position; 0 = it did not run. Earlier agents have none. */
  readonly canaries?: readonly { readonly run: number; readonly digests: readonly number[] }[];
}

/** `sentinel.v1.MismatchDetail`. */
export interface Mismatch {
  readonly run: number;
  readonly sm: number;
  readonly lane: number;
  readonly iteration: number;
  readonly operands: readonly number[];
  readonly expected: readonly number[];
  readonly actual: readonly number[];
  readonly expectedDigest: number;
  readonly actualDigest: number;
  readonly mismatchCount: number;
  readonly siblingsRun: number;
  readonly siblingsPassed: number;
  readonly siblingsSameDigest: number;
  readonly smStable: boolean;
  /** On a GPU alone, as the next three. */
  readonly warp?: number | undefined;
  readonly subPartition?: number | undefined;
  readonly withinIterations?: number | undefined;
  readonly address?: number | undefined;
}

/** `sentinel.v1.RunContext`, as far as evidence depends on it. */
export interface RunContext {
  readonly temperatureC?: number | undefined;
  readonly powerW?: number | undefined;
}

/** What the device was like during a row; undefined = not known. */
export function contextOf(batch: RunColumns, row: number): RunContext | undefined {
  const index = batch.contextIndex[row] ?? 0;
  return index === 0 ? undefined : batch.contexts[index - 1];
}

/** Id of the directive that asked for a row; undefined = none did. */
export function directiveIdOf(batch: RunColumns, row: number): string | undefined {
  const named = batch.directiveIndex[row] ?? 0;
  return named === 0 ? undefined : batch.directiveIds[named - 1];
}

export interface BatchRecord extends UplinkOrigin {
  kind: 'batch';
  batch: RunColumns;
}

/** Stands in for a record that a full spool gave up. Its executions are not counted as run, least of all as clean. */
export interface GapRecord extends UplinkOrigin {
  kind: 'gap';
  runs: number;
  executions: number;
  mismatches: number;
  firstTimeUs: number;
  lastTimeUs: number;
}

export interface AgentEventsRecord extends UplinkOrigin {
  kind: 'agent-events';
  /** `event` = the name of `sentinel.v1.AgentEvent.Kind` in lower case, for example "child_timeout". */
  events: readonly { event: string; timeUs: number; deviceId: string; detail: string }[];
}

/** `sentinel.v1.TelemetrySample`. */
export interface Sample {
  readonly deviceId: string;
  readonly timeUs: bigint;
  readonly values: Readonly<Record<string, number>>;
  readonly texts: Readonly<Record<string, string>>;
  /** Only what changed since this device's sample before it. */
  readonly partial: boolean;
}

/** Context for people; of some counters a rise is soft evidence. */
export interface TelemetryRecord extends UplinkOrigin {
  kind: 'telemetry';
  samples: readonly Sample[];
}

/** An order of an authenticated operator; the shell has checked that its id is new. */
export interface OperatorRecord {
  kind: 'operator';
  directiveId: string;
  gpu: string;
  action: OperatorAction;
  reason: string;
  actor: string;
  /** Another operator has to approve it first. Absent = no: orders of earlier releases. */
  requiresApproval?: boolean;
  /** What the operator says that speaks for it. Absent = nothing. */
  evidence?: readonly string[];
}

/** An authenticated operator's answer to a proposal. */
export interface ApprovalRecord {
  kind: 'approval';
  /** Of the proposal. */
  directiveId: string;
  decision: 'APPROVE' | 'REJECT';
  reason: string;
  actor: string;
}

/** An operator pauses a device's probing, or resumes it. */
export interface PauseRecord {
  kind: 'pause';
  gpu: string;
  /** Null = resumed; untilUs 0 = until resumed. */
  paused: { untilUs: number } | null;
  reason: string;
  actor: string;
}

/** An operator sets the schedule of a node; '' = the agent's own file again. */
export interface ScheduleRecord {
  kind: 'schedule';
  node: string;
  yaml: string;
  reason: string;
  actor: string;
}

/** An operator's answer to an incident. */
export interface IncidentOrderRecord {
  kind: 'incident-order';
  incident: string;
  /** CONFIRM = no fault of the devices; RELEASE = a fault of the devices. */
  decision: 'CONFIRM' | 'RELEASE';
  reason: string;
  actor: string;
}

/** An operator gives the limit of automatic quarantines all its room again. */
export interface RateLimitResetRecord {
  kind: 'rate-limit-reset';
  reason: string;
  actor: string;
}

/** An operator goes on with an audit ledger that lost entries: it moves no evidence. */
export interface LedgerRollbackRecord {
  kind: 'ledger-rollback';
  reason: string;
  actor: string;
  /** Entries that the ledger had, and has. */
  knownEntries: number;
  entries: number;
  /** First entry that it lost; 0 = not known. */
  lostFrom: number;
  /** Events that are sent once more. */
  sentAgain: number;
  /** Of what the engine sent below it, from `lostFrom` on, nothing is kept; 0 = all is. */
  notKeptUntil: number;
  /** Decisions among these, newest first, as many as are named. */
  decisions: readonly { gpu: string; seq: number; time_us: number }[];
  decisionsTotal: number;
}

/** Orders that concern the fleet rather than one device. */
export type FleetOrderRecord = IncidentOrderRecord | RateLimitResetRecord | LedgerRollbackRecord;

/** An order about probing: it moves no evidence. */
export type ProbeControlRecord = PauseRecord | ScheduleRecord;

export interface DirectiveStatusRecord {
  kind: 'directive-status';
  node: string;
  directiveId: string;
  state: 'ACCEPTED' | 'RUNNING' | 'DONE' | 'REFUSED';
  reason: string;
}

export interface ConfigRecord {
  kind: 'config';
  config: CoreConfig;
  /** Absent in records of earlier releases. */
  by?: ConfiguredBy;
}

/** Whose settings they are: the process that read them, and from what. */
export interface ConfiguredBy {
  /** `reload` = SIGHUP. */
  readonly cause: 'start' | 'reload';
  readonly host: string;
  readonly uid: number;
  /** '' = the number has no name. */
  readonly user: string;
  /** Hexadecimal digests of now and of the reading before; '' = not known. Variables of the environment and flags come beside them. */
  readonly files: readonly { readonly path: string; readonly sha256: string; readonly before: string }[];
}

export interface TimerRecord {
  kind: 'timer';
}

/** The control stream of a node ended. */
export interface NodeLeftRecord {
  kind: 'node-left';
  node: string;
}

/**
 * Stands for many clean runs of one device, which in production are rows of batches. Only simulations make it: the rows of a
 * fleet's years would be billions.
 */
export interface SpanRecord {
  kind: 'span';
  node: string;
  deviceId: string;
  /** Event times, engine's clock. */
  fromUs: number;
  untilUs: number;
  /** All that ran, by family. */
  ran: readonly { family: number; runs: number; executions: number }[];
  /** Those of units that failed before, and of directives. */
  clean: readonly SpanOfUnit[];
}

export interface SpanOfUnit {
  family: number;
  sm: number;
  executions: number;
  /** '' = scheduled. */
  directiveId: string;
  temperatureC: number | undefined;
}

/** The engine read its state back from the store: what it kept in memory alone is gone. */
export interface ResumedRecord {
  kind: 'resumed';
}

export type CoreRecord =
  | HelloRecord
  | BatchRecord
  | GapRecord
  | AgentEventsRecord
  | TelemetryRecord
  | OperatorRecord
  | ApprovalRecord
  | ProbeControlRecord
  | FleetOrderRecord
  | AnomalyRecord
  | ComparisonRecord
  | MonitorReportRecord
  | DirectiveStatusRecord
  | ConfigRecord
  | TimerRecord
  | NodeLeftRecord
  | ResumedRecord
  | SpanRecord;
