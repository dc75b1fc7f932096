import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** One step of the schema, and how it is taken back: statements in the order in which they run. */
export interface Step {
  readonly up: readonly string[];
  readonly down: readonly string[];
}

const EVIDENCE: Step = {
  up: [
    // One row: the newest record of the log. Each transaction moves it from the value it read, so two writers cannot both commit.
    `create table head (id smallint primary key check (id = 1), commit_seq bigint not null, now_us bigint not null)`,
    `insert into head values (1, 0, 0)`,
    `create table devices (id text primary key, node text not null, state text not null, body json not null)`,
    `create table nodes (node text primary key, body json not null)`,
    `create table facts (name text primary key, body json not null)`,
    // Raised by every hello; a transaction for a node must know the newest.
    `create table node_owners (node text primary key, epoch bigint not null)`,
    `create table spools (node text not null, spool_id text not null, committed_through bigint not null,
       archived_through bigint not null, primary key (node, spool_id))`,
    // Committed records whose history is not durable yet: an agent offers them again, and they keep their place in the log.
    `create table unarchived (node text not null, spool_id text not null, first_sequence bigint not null,
       last_sequence bigint not null, first_commit_seq bigint not null, now_us bigint not null, offset_us bigint not null,
       primary key (node, spool_id, first_sequence))`,
    `create table counters (device_id text not null, family int not null, runs bigint not null, executions bigint not null,
       failures bigint not null, not_run bigint not null, last_run_us bigint not null, primary key (device_id, family))`,
    `create table observations (node text not null, spool_id text not null, sequence bigint not null, "row" int not null,
       sm int not null, commit_seq bigint not null, device_id text not null, time_us bigint not null, family int not null,
       kind int not null, epoch bigint not null, seed_index bigint not null, lane bigint not null, iteration bigint not null,
       operands bigint[] not null, expected bigint[] not null, actual bigint[] not null, expected_digest bigint not null,
       actual_digest bigint not null, mismatch_count bigint not null, siblings_run int not null, siblings_passed int not null,
       siblings_same_digest int not null, sm_stable bool not null, counted bool not null, answer bool not null, held_by text,
       injected bool not null, primary key (node, spool_id, sequence, "row", sm))`,
    `create index observations_by_device on observations (device_id, commit_seq desc)`,
    `create table transitions (event_id text primary key, commit_seq bigint not null, device_id text not null,
       time_us bigint not null, from_state text not null, to_state text not null, reason text not null, actor text not null,
       injected bool not null, ledger_seq bigint)`,
    `create index transitions_by_device on transitions (device_id, commit_seq desc)`,
    // The records of the log that came from no spool; those of spools are in the history.
    `create table records (commit_seq bigint primary key, now_us bigint not null, kind text not null, body json not null)`,
    `create table orders (directive_id text primary key, gpu text not null, action text not null, reason text not null,
       actor text not null, commit_seq bigint not null, event_id text)`,
  ],
  down: [
    `drop table orders`,
    `drop table records`,
    `drop table transitions`,
    `drop table observations`,
    `drop table counters`,
    `drop table unarchived`,
    `drop table spools`,
    `drop table node_owners`,
    `drop table facts`,
    `drop table nodes`,
    `drop table devices`,
    `drop table head`,
  ],
};

const OUTBOX: Step = {
  up: [
    `create table outbox (commit_seq bigint not null, ordinal int not null, event_id text not null unique, type text not null,
       gpu text not null, event_us bigint not null, injected bool not null, detail text not null, number bigint unique,
       relay_epoch bigint, primary key (commit_seq, ordinal))`,
    `create index outbox_unnumbered on outbox (commit_seq, ordinal) where number is null`,
    // The instance tells this database's numbers from those of another that fed the same ledger.
    `create table relay (id smallint primary key check (id = 1), instance text not null, epoch bigint not null,
       last_number bigint not null, checkpoint text not null)`,
    `insert into relay values (1, substr(replace(gen_random_uuid()::text, '-', ''), 1, 12), 0, 0, '')`,
  ],
  down: [`drop table relay`, `drop table outbox`],
};

const PLACES: Step = {
  up: [
    `alter table observations add column warp bigint, add column sub_partition bigint, add column within_iterations bigint,
       add column address bigint`,
  ],
  down: [
    `alter table observations drop column warp, drop column sub_partition, drop column within_iterations, drop column address`,
  ],
};

/** Since when a (device, family) ran. Of what ran before, the registration of its node is the best that is known. */
const EXPOSURE: Step = {
  up: [
    `alter table counters add column first_run_us bigint`,
    `update counters c set first_run_us = least(c.last_run_us, (n.body->>'registeredUs')::bigint)
       from devices d join nodes n using (node) where d.id = c.device_id`,
  ],
  down: [`alter table counters drop column first_run_us`],
};

const PROPOSALS: Step = {
  up: [
    `create table proposals (id text primary key, gpu text not null, action text not null, cause text not null, reason text not null,
       proposed_by text not null, proposed_us bigint not null, expires_us bigint not null, outcome text not null,
       decided_by text not null, decided_us bigint not null, decision_reason text not null, commit_seq bigint not null,
       event_id text)`,
    `create index proposals_by_gpu on proposals (gpu, proposed_us desc)`,
    `alter table orders add column requires_approval bool not null default false`,
  ],
  down: [`alter table orders drop column requires_approval`, `drop table proposals`],
};

const TRUST_SNAPSHOTS: Step = {
  up: [`create table trust_snapshots (taken_us bigint primary key, body json not null)`],
  down: [`drop table trust_snapshots`],
};

const FLEET_DIRECTIVES: Step = {
  up: [
    `create table fleet_directives (commit_seq bigint not null, ordinal int not null, id text not null unique, action text not null,
       gpu text not null, node text not null, reason text not null, actor text not null, from_state text, to_state text,
       time_us bigint not null, injected bool not null, now_us bigint not null, primary key (commit_seq, ordinal))`,
    `create index fleet_directives_by_age on fleet_directives (now_us)`,
    // One row: the newest that was given up because of its age; a reader that is not beyond it has missed something.
    `create table directive_log (id smallint primary key check (id = 1), pruned_commit_seq bigint not null,
       pruned_ordinal bigint not null)`,
    `insert into directive_log values (1, 0, 0)`,
  ],
  down: [`drop table directive_log`, `drop table fleet_directives`],
};

/** What an operator says that speaks for an order. null = nothing: the release before writes no such column. */
const ORDER_EVIDENCE: Step = {
  up: ['orders', 'proposals', 'transitions'].map((table) => `alter table ${table} add column evidence text[]`),
  down: ['orders', 'proposals', 'transitions'].map((table) => `alter table ${table} drop column evidence`),
};

const LEADER: Step = {
  up: [
    // One row: the engine that decides. An empty holder has given it up. The backend is that of its connection to write with.
    `create table leader (id smallint primary key check (id = 1), holder text not null, epoch bigint not null, address text not null,
       renewed_at timestamptz not null, backend_pid int, backend_start timestamptz)`,
    `insert into leader values (1, '', 0, '', '-infinity')`,
    // The newest leader's: a transaction for the log must know it.
    `alter table head add column leader_epoch bigint not null default 0`,
  ],
  down: [`alter table head drop column leader_epoch`, `drop table leader`],
};

/** The state as the newest upgrade found it: see checkpoint.ts. */
const CHECKPOINT: Step = {
  up: [
    `create table checkpoint (id smallint primary key check (id = 1), commit_seq bigint not null, now_us bigint not null,
       release text not null)`,
    `create table checkpoint_rows (kind text not null, id text not null, body json not null, primary key (kind, id))`,
  ],
  down: [`drop table checkpoint_rows`, `drop table checkpoint`],
};

/** What readers of live updates are told, as it was committed: see LiveLog. */
const LIVE_UPDATES: Step = {
  up: [
    `create table live_updates (commit_seq bigint not null, ordinal int not null, body json not null, primary key (commit_seq, ordinal))`,
  ],
  down: [`drop table live_updates`],
};

/** What may be given up because of its age: see retention/. */
const RETENTION: Step = {
  up: [
    // Copies of the state that a replay can begin with.
    `create table log_bases (commit_seq bigint primary key, now_us bigint not null, release text not null)`,
    `create table log_base_rows (base bigint not null, kind text not null, id text not null, body json not null,
       primary key (base, kind, id))`,
    // Rows from before are gone or about to be: of records by their commit_seq, of the others by their time.
    `create table pruned (what text primary key, before bigint not null)`,
    `create index observations_by_time on observations (time_us)`,
    `create index transitions_by_time on transitions (time_us)`,
  ],
  down: [
    `drop index transitions_by_time`,
    `drop index observations_by_time`,
    `drop table pruned`,
    `drop table log_base_rows`,
    `drop table log_bases`,
  ],
};

/** Checkpoints of the audit ledger that contradict each other, as it signed them. */
const LEDGER_EVIDENCE: Step = {
  up: [
    `create table ledger_evidence (id bigint generated always as identity primary key, found_at timestamptz not null default now(),
       first text not null, second text not null, what text not null, unique (first, second))`,
  ],
  down: [`drop table ledger_evidence`],
};

/** The newest events that the ledger took, for a ledger that is rolled back. */
const SENT: Step = {
  up: [
    `create table sent (event_id text primary key, seq bigint not null, acknowledged_at timestamptz not null default now(),
       commit_seq bigint not null, ordinal int not null, type text not null, gpu text not null, event_us bigint not null,
       injected bool not null, detail text not null)`,
    `create index sent_seq on sent (seq)`,
  ],
  down: [`drop table sent`],
};

/** What jobs saved, for what they load later. */
const SAVED_DIGESTS: Step = {
  up: [
    `create table saved_digests (node text not null, job text not null, body json not null, primary key (node, job))`,
  ],
  down: [`drop table saved_digests`],
};

/**
 * The schema, step by step. Within a minor release steps only add, so that the release before still runs on it. A step that was
 * released is never changed.
 */
export const STEPS: Readonly<Record<string, Step>> = {
  '0001-evidence': EVIDENCE,
  '0002-outbox': OUTBOX,
  '0003-places': PLACES,
  '0004-exposure': EXPOSURE,
  '0005-proposals': PROPOSALS,
  '0006-trust-snapshots': TRUST_SNAPSHOTS,
  '0007-fleet-directives': FLEET_DIRECTIVES,
  '0008-order-evidence': ORDER_EVIDENCE,
  '0009-leader': LEADER,
  '0010-checkpoint': CHECKPOINT,
  '0011-live-updates': LIVE_UPDATES,
  '0012-retention': RETENTION,
  '0013-ledger-evidence': LEDGER_EVIDENCE,
  '0014-sent': SENT,
  '0015-saved-digests': SAVED_DIGESTS,
};

/** The same as the migrator wants them. */
export function migrations(steps: Readonly<Record<string, Step>>): Record<string, Migration> {
  return Object.fromEntries(
    Object.entries(steps).map(([name, { up, down }]) => [name, { up: run(up), down: run(down) }]),
  );
}

function run(statements: readonly string[]): Migration['up'] {
  return async (db) => {
    for (const statement of statements) await sql.raw(statement).execute(db);
  };
}
