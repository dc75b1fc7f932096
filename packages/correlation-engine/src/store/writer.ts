import { setTimeout as sleep } from 'node:timers/promises';
import { SentinelError } from '@sentinel/service-kit/errors';
import pg from 'pg';
import { closeConnection, expectAnswers } from './answers.js';
import { type Claim, type Entry, enter, evict } from './claim.js';
import { COLUMNS } from './columns.js';
import type { CommitRows } from './commit-rows.js';
import type { Writing } from './connect.js';
import { KEEP_BASE } from './retention/log-bases.js';
import { tryLock } from './writer-lock.js';

/** Until the lock of a connection that was ended is free: its backend notices at its next step. */
const EVICTION_MS = 2_000;
const EVICTION_POLL_MS = 20;

/** The copy of a large fleet's state takes seconds. */
const BASE_ANSWER_MS = 120_000;

/** Another engine has the node: its hello came later. */
export class StaleOwnerError extends Error {
  override readonly name = 'StaleOwnerError';
}

/** The database is there and will not take these rows, now or later: nothing was written. */
export class UnstorableError extends Error {
  override readonly name = 'UnstorableError';
}

/** Classes of SQLSTATE that blame the data: data exception, constraint violated, program limit exceeded. */
const DATA_CLASSES: ReadonlySet<string> = new Set(['22', '23', '54']);

/**
 * The one connection that writes the log. It holds the advisory lock, so a lost connection loses the right to write with it; it
 * sends each table's rows as one JSON parameter, so that a transaction costs a dozen statements whatever it carries.
 */
export class Writer {
  readonly #client: pg.Client;
  readonly #answerMs: number;
  readonly #leaseMs: number;
  #keepsBase = false;
  #entry: Entry = { epoch: 0, head: { commitSeq: 0, nowUs: 0 } };
  #lost: Error | null = null;

  private constructor({ config, answerMs, leaseMs }: Writing, onLost: () => void) {
    const client = new pg.Client(config);
    this.#client = client;
    this.#answerMs = answerMs;
    this.#leaseMs = leaseMs;
    expectAnswers(client, () => (this.#keepsBase ? BASE_ANSWER_MS : this.#answerMs));
    client.on('error', (error) => {
      this.#lost = error;
      onLost();
    });
  }

  /**
   * Connects, takes the lock, and with it the lead.
   * @returns null while another engine has them
   */
  static async open(writing: Writing, claim: Claim, onLost: () => void): Promise<Writer | null> {
    const writer = new Writer(writing, onLost);
    try {
      await writer.#client.connect();
      const entry = (await writer.#lock(claim)) ? await enter(writer.#client, claim) : null;
      if (entry !== null) {
        writer.#entry = entry;
        return writer;
      }
    } catch (error) {
      await writer.close();
      throw error;
    }
    await writer.close();
    return null;
  }

  async #lock(claim: Claim): Promise<boolean> {
    if (await tryLock(this.#client)) return true;
    const evicted = await evict(this.#client, claim, this.#leaseMs);
    if (evicted === null) return false;
    const deadline = performance.now() + EVICTION_MS;
    while (performance.now() < deadline) {
      if (await tryLock(this.#client)) return true;
      await sleep(EVICTION_POLL_MS);
    }
    throw hangs(evicted);
  }

  /** As it was when this connection took the lead. */
  get entry(): Entry {
    return this.#entry;
  }

  get alive(): boolean {
    return this.#lost === null;
  }

  async close(): Promise<void> {
    await closeConnection(this.#client);
  }

  /**
   * Writes one transaction.
   * @returns the fencing epochs of its hellos, by node
   * @throws StaleOwnerError when a watermark's owner is not the newest, UnstorableError when the rows are to blame: nothing was
   *   written; any other error: unknown whether it was
   */
  async commit(rows: CommitRows): Promise<ReadonlyMap<string, number>> {
    await this.#client.query('begin');
    try {
      await this.#moveHead(rows);
      const epochs = await this.#hellos(rows);
      await this.#openSpools(rows.spools);
      await this.#marks(rows);
      for (const [name, text, values] of statements(rows)) {
        if (values.length > 0) await this.#query(name, text, values);
      }
      if (rows.keepsBase) await this.#keepBase();
      await this.#client.query('commit');
      return epochs;
    } catch (error) {
      await this.#client.query('rollback').catch((failure: Error) => {
        this.#lost ??= failure;
      });
      throw blamesData(error) ? new UnstorableError(error.message, { cause: error }) : error;
    }
  }

  async #keepBase(): Promise<void> {
    this.#keepsBase = true;
    try {
      for (const text of KEEP_BASE) await this.#client.query(text);
    } finally {
      this.#keepsBase = false;
    }
  }

  #query(name: string, text: string, rows: readonly unknown[]): Promise<pg.QueryResult> {
    return this.#client.query({ name, text, values: [toJson(rows)] });
  }

  async #moveHead({ from, to }: CommitRows): Promise<void> {
    const { rowCount } = await this.#client.query({
      name: 'head',
      text: 'update head set commit_seq = $1, now_us = $2 where commit_seq = $3 and leader_epoch = $4',
      values: [to.commitSeq, to.nowUs, from.commitSeq, this.#entry.epoch],
    });
    if (rowCount === 1) return;
    throw new SentinelError({
      code: 'ABORTED',
      reason: 'STALE_OWNER',
      message: `the log is not at ${from.commitSeq} any more: another engine writes it`,
    });
  }

  async #hellos({ hellos }: CommitRows): Promise<ReadonlyMap<string, number>> {
    if (hellos.length === 0) return new Map();
    await this.#openSpools(hellos);
    const { rows } = await this.#query(
      'raise-epochs',
      `insert into node_owners as o (node, epoch) select node, 1 from json_to_recordset($1) as t(node text)
         on conflict (node) do update set epoch = o.epoch + 1 returning node, epoch`,
      hellos,
    );
    return new Map((rows as { node: string; epoch: number }[]).map((row) => [row.node, row.epoch]));
  }

  async #openSpools(spools: CommitRows['spools']): Promise<void> {
    if (spools.length === 0) return;
    await this.#query(
      'open-spools',
      `insert into spools (node, spool_id, committed_through, archived_through) select node, spool_id, 0, 0 from json_to_recordset($1) as t(node text, spool_id text) on conflict do nothing`,
      spools,
    );
  }

  async #marks({ marks }: CommitRows): Promise<void> {
    if (marks.length === 0) return;
    const { rowCount } = await this.#query(
      'marks',
      `with owned as (
         select m.* from json_to_recordset($1) as m(node text, spool_id text, committed_through bigint, epoch bigint)
         join node_owners o using (node, epoch) for share of o)
       update spools s set committed_through = m.committed_through from owned m
         where s.node = m.node and s.spool_id = m.spool_id and s.committed_through < m.committed_through`,
      marks,
    );
    if (rowCount !== marks.length)
      throw new StaleOwnerError(`${marks.length - (rowCount ?? 0)} of ${marks.length} nodes have another owner`);
  }
}

/** [name, text, rows] of every statement that only adds or replaces rows. */
function statements(rows: CommitRows): [string, string, readonly unknown[]][] {
  const { devices, removed, nodes, saved, fleet, config, canaries } = rows.changes;
  const facts = [
    ...(fleet === null ? [] : [{ name: 'fleet', body: fleet }]),
    ...(config === null ? [] : [{ name: 'config', body: config }]),
    ...(canaries === null ? [] : [{ name: 'canaries', body: canaries }]),
  ];
  return [
    ['devices', DEVICES, devices.map((body) => ({ id: body.id, node: body.node, state: body.state, body }))],
    ['nodes', NODES, nodes.map((body) => ({ node: body.node, body }))],
    [
      'saved-digests',
      SAVED_DIGESTS,
      saved.filter(({ parts }) => parts.length > 0).map((body) => ({ node: body.node, job: body.job, body })),
    ],
    ['unsaved-digests', UNSAVED_DIGESTS, saved.filter(({ parts }) => parts.length === 0)],
    ['facts', FACTS, facts],
    ['move-counters', MOVE_COUNTERS, rows.moved],
    ...MOVES.map(([table, column]): [string, string, readonly unknown[]] => [
      `move-${table}`,
      `update ${table} set ${column} = m.to_id from json_to_recordset($1) as m(from_id text, to_id text) where ${column} = m.from_id`,
      rows.moved,
    ]),
    ['counters', COUNTERS, rows.counters],
    ['observations', OBSERVATIONS, rows.observations],
    ['transitions', TRANSITIONS, rows.transitions],
    ['outbox', OUTBOX, rows.outbox],
    ['records', RECORDS, rows.records],
    ['orders', ORDERS, rows.orders],
    ['proposals', PROPOSALS, rows.proposals],
    ['trust-snapshots', TRUST_SNAPSHOTS, rows.trustSnapshots],
    ['fleet-directives', FLEET_DIRECTIVES, rows.fleetDirectives],
    ['live-updates', LIVE_UPDATES, rows.liveUpdates],
    ['unarchived', UNARCHIVED, rows.unarchived],
    ['archived', ARCHIVED, rows.archived],
    ['removed', REMOVED, removed.map((id) => ({ id }))],
  ];
}

/** Where a device is named by its id; what is known of the device itself is among `devices`. */
const MOVES = [
  ['observations', 'device_id'],
  ['transitions', 'device_id'],
  ['proposals', 'gpu'],
  ['orders', 'gpu'],
] as const;

/** Columns by name: a newer engine may have added some, with defaults of their own. */
function insert(table: string, columns: readonly string[], alias: string = table): string {
  const names = columns.map((name) => `"${name}"`).join(', ');
  return `insert into ${table} as ${alias} (${names}) select ${names} from json_populate_recordset(null::${table}, $1)`;
}

const DEVICES = `insert into devices (id, node, state, body) select * from json_to_recordset($1) as t(id text, node text, state text, body json)
  on conflict (id) do update set node = excluded.node, state = excluded.state, body = excluded.body`;
const NODES = `insert into nodes (node, body) select * from json_to_recordset($1) as t(node text, body json)
  on conflict (node) do update set body = excluded.body`;
const SAVED_DIGESTS = `insert into saved_digests (node, job, body) select * from json_to_recordset($1) as t(node text, job text, body json)
  on conflict (node, job) do update set body = excluded.body`;
const UNSAVED_DIGESTS = `delete from saved_digests s using json_to_recordset($1) as t(node text, job text) where s.node = t.node and s.job = t.job`;
const FACTS = `insert into facts (name, body) select * from json_to_recordset($1) as t(name text, body json)
  on conflict (name) do update set body = excluded.body`;
const ADD_COUNTERS = `on conflict (device_id, family) do update set runs = c.runs + excluded.runs, executions = c.executions + excluded.executions,
    failures = c.failures + excluded.failures, not_run = c.not_run + excluded.not_run,
    last_run_us = greatest(c.last_run_us, excluded.last_run_us),
    first_run_us = least(c.first_run_us, excluded.first_run_us)`;
const COUNTERS = `${insert('counters', COLUMNS.counters, 'c')} ${ADD_COUNTERS}`;
/** To an id that may have some: hardware that was taken out, came back and was taken out again. */
const MOVE_COUNTERS = `with gone as (
    delete from counters c using json_to_recordset($1) as m(from_id text, to_id text) where c.device_id = m.from_id returning m.to_id, c.*)
  insert into counters as c (${COLUMNS.counters.map((name) => `"${name}"`).join(', ')})
    select ${COLUMNS.counters.map((name) => (name === 'device_id' ? 'to_id' : `"${name}"`)).join(', ')} from gone ${ADD_COUNTERS}`;
const REMOVED = `with gone as (select id from json_to_recordset($1) as t(id text)), counted as (delete from counters using gone where device_id = id)
  delete from devices d using gone where d.id = gone.id`;
const OBSERVATIONS = insert('observations', COLUMNS.observations);
const TRANSITIONS = insert('transitions', COLUMNS.transitions);
const OUTBOX = insert('outbox', COLUMNS.outbox);
const RECORDS = insert('records', COLUMNS.records);
const ORDERS = insert('orders', COLUMNS.orders);
/** Snapshots that are kept: a month at the default interval. */
export const KEPT_SNAPSHOTS = 720;
const TRUST_SNAPSHOTS = `with taken as (insert into trust_snapshots (taken_us, body) select * from json_to_recordset($1) as t(taken_us bigint, body json)
    on conflict do nothing)
  delete from trust_snapshots where taken_us <= (select taken_us from trust_snapshots order by taken_us desc offset ${KEPT_SNAPSHOTS - 1} limit 1)`;
const FLEET_DIRECTIVES = insert('fleet_directives', COLUMNS.fleetDirectives);
/** Live updates that are kept: a reader that missed as many looks at the whole fleet, which is cheaper. */
export const KEPT_UPDATES = 1_000;
const LIVE_UPDATES = `with told as (${insert('live_updates', COLUMNS.liveUpdates)})
  delete from live_updates where (commit_seq, ordinal) <=
    (select commit_seq, ordinal from live_updates order by commit_seq desc, ordinal desc offset ${KEPT_UPDATES - 1} limit 1)`;
const PROPOSALS = `${insert('proposals', COLUMNS.proposals)}
  on conflict (id) do update set outcome = excluded.outcome, decided_by = excluded.decided_by, decided_us = excluded.decided_us,
    decision_reason = excluded.decision_reason, commit_seq = excluded.commit_seq, event_id = excluded.event_id`;
const UNARCHIVED = insert('unarchived', COLUMNS.unarchived);
const ARCHIVED = `with done as (
    update spools s set archived_through = t.archived_through
    from json_to_recordset($1) as t(node text, spool_id text, archived_through bigint)
    where s.node = t.node and s.spool_id = t.spool_id returning s.node, s.spool_id, s.archived_through)
  delete from unarchived u using done d
    where u.node = d.node and u.spool_id = d.spool_id and u.last_sequence <= d.archived_through`;

function blamesData(error: unknown): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError && DATA_CLASSES.has(error.code?.slice(0, 2) ?? '');
}

/** PostgreSQL has no NUL and no lone surrogate; an agent's or an operator's text may. */
function toJson(rows: readonly unknown[]): string {
  const json = JSON.stringify(rows);
  if (!json.includes('\\u')) return json;
  return JSON.stringify(rows, (_, value: unknown) =>
    typeof value === 'string' ? value.replaceAll('\0', '\ufffd').toWellFormed() : value,
  );
}

/** Nothing but the end of that backend frees the lock. */
function hangs(pid: number): SentinelError {
  return new SentinelError({
    code: 'UNAVAILABLE',
    reason: 'STORE_UNAVAILABLE',
    message: `backend ${pid} of the database was told to end and does not, and it has the right to write`,
    field: 'correlation_engine.database.postgres_url',
    hint: `It hangs: see what it waits for on the server of the database, and end it there with kill -9 ${pid} if need be. It is tried again.`,
  });
}
