import type { SentinelError } from '@sentinel/service-kit/errors';
import type {
  AgentEventsRecord,
  ApprovalRecord,
  BatchRecord,
  CoreRecord,
  Effects,
  FleetOrderRecord,
  GapRecord,
  HelloRecord,
  MonitorReportRecord,
  OperatorRecord,
  ProbeControlRecord,
  SpanRecord,
  TelemetryRecord,
} from '../core.js';
import type { SpoolMark } from '../store/spools.js';

export type UplinkRecord = BatchRecord | GapRecord | AgentEventsRecord | TelemetryRecord;

/** A record of a spool: authentic and in sequence. */
export interface UplinkItem {
  readonly kind: 'uplink';
  readonly record: UplinkRecord;
  readonly mark: SpoolMark;
  /** Fencing epoch of the session that it came by. */
  readonly epoch: number;
  /** The payload as received, for the history. */
  readonly payload: Uint8Array;
  committed(): void;
  failed(error: SentinelError): void;
}

/** A record of a monitor's spool: checked and in sequence. It is kept in the log itself, not in the history. */
export interface MonitorItem {
  readonly kind: 'monitor';
  readonly record: MonitorReportRecord;
  readonly mark: SpoolMark;
  /** As received. */
  readonly bytes: number;
  committed(): void;
  failed(error: SentinelError): void;
}

export interface HelloItem {
  readonly kind: 'hello';
  readonly record: HelloRecord;
  readonly spoolId: string;
  committed(epoch: number): void;
  failed(error: SentinelError): void;
}

export interface OrderItem {
  readonly kind: 'order';
  readonly record: OperatorRecord | ApprovalRecord | ProbeControlRecord | FleetOrderRecord;
  committed(effects: Effects): void;
  failed(error: SentinelError): void;
}

/** What nobody waits for: configuration, timers, nodes that left, directives' progress. */
export interface OwnItem {
  readonly kind: 'own';
  readonly record: Exclude<
    CoreRecord,
    UplinkRecord | MonitorReportRecord | HelloRecord | OrderItem['record'] | SpanRecord
  >;
  /** A copy of the state after it is kept in its transaction, which it has to itself. */
  readonly keepsBase?: boolean;
  committed(): void;
  failed(error: SentinelError): void;
}

/** The log can begin behind it: what the engine has in memory alone is forgotten, as a replay that begins there knows none of it. */
export function baseItem(): OwnItem {
  const nothing = (): void => {};
  return { kind: 'own', record: { kind: 'resumed' }, keepsBase: true, committed: nothing, failed: nothing };
}

/** What comes with a sequence, waits for as long as it takes, and has a window of its own. */
export type SpoolItem = UplinkItem | MonitorItem;

export type Item = SpoolItem | HelloItem | OrderItem | OwnItem;

export function isOfSpool(item: Item): item is SpoolItem {
  return item.kind === 'uplink' || item.kind === 'monitor';
}

export function keepsBase(item: Item): boolean {
  return item.kind === 'own' && item.keepsBase === true;
}
