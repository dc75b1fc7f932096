import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * The schema, step by step. Within a minor release steps only add, so that the release before still runs on it. A step that was
 * released is never changed.
 */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001-evidence': { up: evidence },
  '0002-outbox': { up: outbox },
  '0003-places': { up: places },
  '0004-exposure': { up: exposure },
  '0005-proposals': { up: proposals },
  '0006-trust-snapshots': { up: trustSnapshots },
  '0007-fleet-directives': { up: fleetDirectives },
  '0008-order-evidence': { up: orderEvidence },
  '0009-leader': { up: leader },
  '0010-checkpoint': { up: checkpoint },
};

async function evidence(db: Kysely<never>): Promise<void> {
  const statements = [
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
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

async function outbox(db: Kysely<never>): Promise<void> {
  const statements = [
    `create table outbox (commit_seq bigint not null, ordinal int not null, event_id text not null unique, type text not null,
       gpu text not null, event_us bigint not null, injected bool not null, detail text not null, number bigint unique,
       relay_epoch bigint, primary key (commit_seq, ordinal))`,
    `create index outbox_unnumbered on outbox (commit_seq, ordinal) where number is null`,
    // The instance tells this database's numbers from those of another that fed the same ledger.
    `create table relay (id smallint primary key check (id = 1), instance text not null, epoch bigint not null,
       last_number bigint not null, checkpoint text not null)`,
    `insert into relay values (1, substr(replace(gen_random_uuid()::text, '-', ''), 1, 12), 0, 0, '')`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

async function places(db: Kysely<never>): Promise<void> {
  const columns = ['warp', 'sub_partition', 'within_iterations', 'address'].map((name) => `add column ${name} bigint`);
  await sql.raw(`alter table observations ${columns.join(', ')}`).execute(db);
}

/** Since when a (device, family) ran. Of what ran before, the registration of its node is the best that is known. */
async function exposure(db: Kysely<never>): Promise<void> {
  const statements = [
    `alter table counters add column first_run_us bigint`,
    `update counters c set first_run_us = least(c.last_run_us, (n.body->>'registeredUs')::bigint)
       from devices d join nodes n using (node) where d.id = c.device_id`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

async function proposals(db: Kysely<never>): Promise<void> {
  const statements = [
    `create table proposals (id text primary key, gpu text not null, action text not null, cause text not null, reason text not null,
       proposed_by text not null, proposed_us bigint not null, expires_us bigint not null, outcome text not null,
       decided_by text not null, decided_us bigint not null, decision_reason text not null, commit_seq bigint not null,
       event_id text)`,
    `create index proposals_by_gpu on proposals (gpu, proposed_us desc)`,
    `alter table orders add column requires_approval bool not null default false`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

async function trustSnapshots(db: Kysely<never>): Promise<void> {
  await sql.raw(`create table trust_snapshots (taken_us bigint primary key, body json not null)`).execute(db);
}

async function fleetDirectives(db: Kysely<never>): Promise<void> {
  const statements = [
    `create table fleet_directives (commit_seq bigint not null, ordinal int not null, id text not null unique, action text not null,
       gpu text not null, node text not null, reason text not null, actor text not null, from_state text, to_state text,
       time_us bigint not null, injected bool not null, now_us bigint not null, primary key (commit_seq, ordinal))`,
    `create index fleet_directives_by_age on fleet_directives (now_us)`,
    // One row: the newest that was given up because of its age; a reader that is not beyond it has missed something.
    `create table directive_log (id smallint primary key check (id = 1), pruned_commit_seq bigint not null,
       pruned_ordinal bigint not null)`,
    `insert into directive_log values (1, 0, 0)`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

/** What an operator says that speaks for an order. null = nothing: the release before writes no such column. */
async function orderEvidence(db: Kysely<never>): Promise<void> {
  for (const table of ['orders', 'proposals', 'transitions'])
    await sql.raw(`alter table ${table} add column evidence text[]`).execute(db);
}

async function leader(db: Kysely<never>): Promise<void> {
  const statements = [
    // One row: the engine that decides. An empty holder has given it up. The backend is that of its connection to write with.
    `create table leader (id smallint primary key check (id = 1), holder text not null, epoch bigint not null, address text not null,
       renewed_at timestamptz not null, backend_pid int, backend_start timestamptz)`,
    `insert into leader values (1, '', 0, '', '-infinity')`,
    // The newest leader's: a transaction for the log must know it.
    `alter table head add column leader_epoch bigint not null default 0`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

/** The state as the newest upgrade found it: see checkpoint.ts. */
async function checkpoint(db: Kysely<never>): Promise<void> {
  const statements = [
    `create table checkpoint (id smallint primary key check (id = 1), commit_seq bigint not null, now_us bigint not null,
       release text not null)`,
    `create table checkpoint_rows (kind text not null, id text not null, body json not null, primary key (kind, id))`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}
