import type { StateChanges } from '../core.js';
import type {
  CounterTable,
  FleetDirectiveTable,
  LiveUpdateTable,
  ObservationTable,
  OrderTable,
  OutboxTable,
  ProposalTable,
  Tables,
  TransitionTable,
} from './schema.js';

/** The newest record of the log: its number and its time. */
export interface Head {
  readonly commitSeq: number;
  readonly nowUs: number;
}

/** `detail` is canonical JSON: what is sent is byte for byte what was committed. The relay numbers the row later. */
export type OutboxRow = Omit<OutboxTable, 'number' | 'relay_epoch'>;

/** A watermark that rises, on behalf of the owner of that epoch. */
export interface MarkRow {
  node: string;
  spool_id: string;
  committed_through: number;
  epoch: number;
}

export interface UnarchivedRow {
  node: string;
  spool_id: string;
  first_sequence: number;
  last_sequence: number;
  first_commit_seq: number;
  now_us: number;
  offset_us: number;
}

/** The rows of a device that keep its history under another id. */
export interface MovedRow {
  from_id: string;
  to_id: string;
}

/** All that one transaction writes. No two rows of one table have the same key. */
export interface CommitRows {
  readonly from: Head;
  readonly to: Head;
  readonly changes: StateChanges;
  /** Before every row of this transaction. */
  readonly moved: readonly MovedRow[];
  readonly counters: readonly CounterTable[];
  readonly observations: readonly ObservationTable[];
  readonly transitions: readonly Omit<TransitionTable, 'ledger_seq'>[];
  readonly outbox: readonly OutboxRow[];
  readonly records: readonly { commit_seq: number; now_us: number; kind: string; body: unknown }[];
  readonly orders: readonly OrderTable[];
  readonly proposals: readonly ProposalTable[];
  readonly trustSnapshots: readonly Tables['trust_snapshots'][];
  readonly fleetDirectives: readonly FleetDirectiveTable[];
  readonly liveUpdates: readonly LiveUpdateTable[];
  readonly marks: readonly MarkRow[];
  readonly unarchived: readonly UnarchivedRow[];
  /** Spools of monitors that are new. Those of agents come with their hellos. */
  readonly spools: readonly { node: string; spool_id: string }[];
  /** Nodes whose fencing epoch rises by one, with the spool that they opened. */
  readonly hellos: readonly { node: string; spool_id: string }[];
  /** A copy of the state after it is kept, that the log can begin with. */
  readonly keepsBase: boolean;
  /** History that became durable since the last transaction. */
  readonly archived: readonly { node: string; spool_id: string; archived_through: number }[];
}
