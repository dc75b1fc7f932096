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
  readonly record: Exclude<CoreRecord, UplinkRecord | HelloRecord | OrderItem['record'] | SpanRecord>;
  committed(): void;
  failed(error: SentinelError): void;
}

export type Item = UplinkItem | HelloItem | OrderItem | OwnItem;
