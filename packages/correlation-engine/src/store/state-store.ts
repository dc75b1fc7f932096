import { setTimeout as sleep } from 'node:timers/promises';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Logger } from '@sentinel/service-kit/logging';
import type { Kysely } from 'kysely';
import type { CanaryFacts, CoreConfig, FleetFacts } from '../core.js';
import type { Claim } from './claim.js';
import type { CommitRows, Head } from './commit-rows.js';
import type { Database } from './connect.js';
import type { LoadedState } from './loaded-state.js';
import { migrateUp } from './migrate.js';
import type { Tables } from './schema.js';
import { Writer } from './writer.js';

/** How long a starting engine waits for the lock: a server notices within this that the engine before was killed, also where its disk is slow. */
const START_WAIT_MS = 30_000;
/** The same of one that lost its connection, and tries again. */
const RETURN_WAIT_MS = 5_000;
const LOCK_POLL_MS = 100;

type Seeking = Omit<Claim, 'own'>;

/** An engine that has its database to itself. */
const ALONE: Seeking = { holder: '', address: '', after: null };

/**
 * The store of state and decisions. One engine at a time: whoever holds the advisory lock. After any failed commit the writer is
 * gone, and `recover` tells from the head whether that commit took place.
 */
export class StateStore {
  readonly db: Kysely<Tables>;
  readonly #database: Database;
  readonly #log: Logger;
  readonly #onLost: () => void;
  readonly #startWaitMs: number;
  #writer: Writer | null = null;
  #claim = ALONE;
  #loaded = false;
  /** Of the last connection that wrote; null = there was none. */
  #lastEpoch: number | null = null;
  #startedServer = false;

  /** @param onLost the connection to write with ended: `recover` is needed */
  constructor(database: Database, log: Logger, onLost: () => void, startWaitMs = START_WAIT_MS) {
    this.#database = database;
    this.#log = log;
    this.#onLost = onLost;
    this.#startWaitMs = startWaitMs;
    this.db = database.pool((error) => log.debug({ err: error }, 'an idle database connection ended'));
  }

  /** This engine has the lock and a connection to write with. */
  get up(): boolean {
    return this.#loaded && this.holds;
  }

  /** As `up`, also while the state is read. */
  get holds(): boolean {
    return this.#writer?.alive === true;
  }

  /** Rises with each taking of the lead. */
  get epoch(): number {
    return this.#writer?.entry.epoch ?? 0;
  }

  /** Starts the server if it is ours, and brings the schema up to date. */
  async prepare(): Promise<void> {
    this.#startedServer = await this.#database.ensureRunning();
    const steps = await migrateUp(this.#database);
    if (steps.length > 0) this.#log.info({ steps }, 'database schema brought up to date');
  }

  /**
   * Of an engine that is alone: prepares, takes the lock, and reads everything.
   * @throws SentinelError FAILED_PRECONDITION while another engine has the lock
   */
  async open(): Promise<LoadedState> {
    await this.prepare();
    return this.#enter(await this.#waitForLock(this.#startWaitMs));
  }

  /**
   * Of a replica: takes the lead if it is free, and reads everything.
   * @returns null when another one was first
   */
  async take(claim: Seeking): Promise<LoadedState | null> {
    const writer = await this.#openWriter(claim);
    if (writer === null) return null;
    this.#claim = { ...claim, after: writer.entry.epoch };
    return this.#enter(writer);
  }

  /** Connects anew and reads everything as committed. @throws SupersededError */
  async recover(): Promise<LoadedState> {
    await this.release();
    await this.#database.ensureRunning();
    if (this.#claim === ALONE) return this.#enter(await this.#waitForLock(RETURN_WAIT_MS));
    const state = await this.take(this.#claim);
    if (state === null) throw new SupersededError();
    return state;
  }

  /** Gives up the lock. */
  async release(): Promise<void> {
    const writer = this.#writer;
    this.#writer = null;
    this.#loaded = false;
    await writer?.close();
  }

  async #enter(writer: Writer): Promise<LoadedState> {
    this.#writer = writer;
    this.#lastEpoch = writer.entry.epoch;
    try {
      const state = await this.#load(writer.entry.head);
      this.#loaded = true;
      return state;
    } catch (error) {
      await this.release();
      throw error;
    }
  }

  #openWriter(seeking: Seeking): Promise<Writer | null> {
    return Writer.open(this.#database.writing, { ...seeking, own: this.#lastEpoch }, this.#onLost);
  }

  async #waitForLock(patienceMs: number): Promise<Writer> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const writer = await this.#openWriter(ALONE);
      if (writer !== null) return writer;
      if (performance.now() > deadline) throw lockedError();
      await sleep(LOCK_POLL_MS);
    }
  }

  commit(rows: CommitRows): Promise<ReadonlyMap<string, number>> {
    if (this.#writer === null) throw new SentinelError({ code: 'UNAVAILABLE', message: 'the database is away' });
    return this.#writer.commit(rows);
  }

  async close(): Promise<void> {
    // An engine that is alone and found the lock taken leaves the server alone; so does a replica that found it running.
    const stopServer = this.#claim === ALONE ? this.#writer !== null : this.#startedServer;
    await this.release();
    await this.db.destroy();
    if (stopServer) await this.#database.stop();
  }

  async #load(head: Head): Promise<LoadedState> {
    const { db } = this;
    const [devices, nodes, saved, facts, spools, unarchived, owners, counters] = await Promise.all([
      db.selectFrom('devices').select('body').execute(),
      db.selectFrom('nodes').select('body').execute(),
      db.selectFrom('saved_digests').select('body').execute(),
      db.selectFrom('facts').selectAll().execute(),
      db.selectFrom('spools').selectAll().execute(),
      db.selectFrom('unarchived').selectAll().orderBy('first_sequence').execute(),
      db.selectFrom('node_owners').selectAll().execute(),
      db.selectFrom('counters').selectAll().execute(),
    ]);
    const fact = <T>(name: string): T | null => (facts.find((row) => row.name === name)?.body as T | undefined) ?? null;
    return {
      head,
      devices: devices.map((row) => row.body),
      nodes: nodes.map((row) => row.body),
      saved: saved.map((row) => row.body),
      fleet: fact<FleetFacts>('fleet'),
      canaries: fact<CanaryFacts>('canaries'),
      config: fact<CoreConfig>('config'),
      spools,
      unarchived,
      owners,
      counters,
    };
  }
}

function lockedError(): SentinelError {
  return new SentinelError({
    code: 'FAILED_PRECONDITION',
    reason: 'CONFLICT',
    message: 'another correlation engine writes this database',
    field: 'correlation_engine.database.postgres_url',
    hint: 'Stop it first: one engine at a time may write a database.',
  });
}

/** Of a replica whose lead is over. */
export class SupersededError extends SentinelError {
  constructor() {
    super({ code: 'ABORTED', reason: 'STALE_OWNER', message: 'another replica decides now' });
  }
}
