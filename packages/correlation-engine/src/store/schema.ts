import type { Generated } from 'kysely';
import type { LiveUpdate } from '../bus/live-updates.js';
import type {
  CanaryFacts,
  CoreConfig,
  DeviceState,
  FleetFacts,
  NodeState,
  SavedDigests,
  TrustSnapshot,
} from '../core.js';

/** Tables as kysely sees them. bigint columns are read as numbers: none of them leaves the safe range (see connect.ts). */
export interface Tables {
  head: HeadTable;
  leader: LeaderTable;
  devices: { id: string; node: string; state: string; body: DeviceState };
  nodes: { node: string; body: NodeState };
  saved_digests: { node: string; job: string; body: SavedDigests };
  facts: { name: 'fleet' | 'config' | 'canaries'; body: FleetFacts | CoreConfig | CanaryFacts };
  node_owners: { node: string; epoch: number };
  spools: { node: string; spool_id: string; committed_through: number; archived_through: number };
  unarchived: UnarchivedTable;
  counters: CounterTable;
  observations: ObservationTable;
  transitions: TransitionTable;
  records: { commit_seq: number; now_us: number; kind: string; body: unknown };
  orders: OrderTable;
  proposals: ProposalTable;
  trust_snapshots: { taken_us: number; body: TrustSnapshot['graph'] };
  fleet_directives: FleetDirectiveTable;
  live_updates: LiveUpdateTable;
  directive_log: { id: number; pruned_commit_seq: number; pruned_ordinal: number };
  outbox: OutboxTable;
  relay: RelayTable;
  sent: SentTable;
  checkpoint: { id: number; commit_seq: number; now_us: number; release: string };
  checkpoint_rows: { kind: string; id: string; body: unknown };
  log_bases: { commit_seq: number; now_us: number; release: string };
  log_base_rows: { base: number; kind: string; id: string; body: unknown };
  pruned: { what: 'records' | 'observations' | 'transitions'; before: number };
}

interface HeadTable {
  id: number;
  commit_seq: number;
  now_us: number;
  leader_epoch: number;
}

interface LeaderTable {
  id: number;
  /** '' = nobody. */
  holder: string;
  epoch: number;
  /** Where the others reach it, host:port; '' = an engine that is alone. */
  address: string;
  renewed_at: Date;
  backend_pid: number | null;
  backend_start: Date | null;
}

interface UnarchivedTable {
  node: string;
  spool_id: string;
  first_sequence: number;
  last_sequence: number;
  first_commit_seq: number;
  now_us: number;
  offset_us: number;
}

export interface CounterTable {
  device_id: string;
  family: number;
  runs: number;
  executions: number;
  failures: number;
  not_run: number;
  /** null = counted by an earlier release alone. */
  first_run_us: number | null;
  last_run_us: number;
}

export interface ObservationTable {
  node: string;
  spool_id: string;
  sequence: number;
  row: number;
  sm: number;
  commit_seq: number;
  device_id: string;
  time_us: number;
  family: number;
  kind: number;
  epoch: number;
  seed_index: number;
  lane: number;
  iteration: number;
  operands: number[];
  expected: number[];
  actual: number[];
  expected_digest: number;
  actual_digest: number;
  mismatch_count: number;
  siblings_run: number;
  siblings_passed: number;
  siblings_same_digest: number;
  sm_stable: boolean;
  counted: boolean;
  answer: boolean;
  held_by: string | null;
  injected: boolean;
  /** On a GPU alone, as the next three. */
  warp: number | null;
  sub_partition: number | null;
  within_iterations: number | null;
  address: number | null;
}

export interface TransitionTable {
  event_id: string;
  commit_seq: number;
  device_id: string;
  time_us: number;
  from_state: string;
  to_state: string;
  reason: string;
  actor: string;
  injected: boolean;
  ledger_seq: number | null;
  /** What an operator said that speaks for it; null = nothing, as in the next two. */
  evidence: string[] | null;
}

export interface OrderTable {
  directive_id: string;
  gpu: string;
  action: string;
  reason: string;
  actor: string;
  commit_seq: number;
  event_id: string | null;
  requires_approval: boolean;
  evidence: string[] | null;
}

/** Every action that waited for an operator, and what became of it. */
export interface ProposalTable {
  id: string;
  gpu: string;
  action: string;
  cause: string;
  reason: string;
  proposed_by: string;
  proposed_us: number;
  expires_us: number;
  outcome: string;
  decided_by: string;
  decided_us: number;
  decision_reason: string;
  commit_seq: number;
  event_id: string | null;
  evidence: string[] | null;
}

export interface FleetDirectiveTable {
  commit_seq: number;
  ordinal: number;
  id: string;
  action: string;
  gpu: string;
  node: string;
  reason: string;
  actor: string;
  from_state: string | null;
  to_state: string | null;
  time_us: number;
  injected: boolean;
  now_us: number;
}

/** One of what the readers of live updates are told. */
export interface LiveUpdateTable {
  commit_seq: number;
  ordinal: number;
  body: LiveUpdate;
}

export interface OutboxTable {
  commit_seq: number;
  ordinal: number;
  event_id: string;
  type: string;
  gpu: string;
  event_us: number;
  injected: boolean;
  detail: string;
  number: number | null;
  relay_epoch: number | null;
}

/** Events that the ledger took, with their places in it. */
interface SentTable extends Omit<OutboxTable, 'number' | 'relay_epoch'> {
  seq: number;
  acknowledged_at: Generated<Date>;
}

interface RelayTable {
  id: number;
  instance: Generated<string>;
  epoch: number;
  last_number: number;
  checkpoint: string;
}
