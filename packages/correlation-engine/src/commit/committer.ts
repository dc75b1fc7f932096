import { setTimeout as sleep } from 'node:timers/promises';
import { Backoff } from '@sentinel/service-kit/backoff';
import type { Clock } from '@sentinel/service-kit/clock';
import { SentinelError } from '@sentinel/service-kit/errors';
import {
  type CoreConfig,
  type CoreState,
  type Effects,
  type Exposure,
  emptyState,
  type Family,
  install,
  loadState,
} from '../core.js';
import type { CommitRows, Head } from '../store/commit-rows.js';
import { type LoadedState, savedState } from '../store/loaded-state.js';
import { Spools } from '../store/spools.js';
import { type StateStore, SupersededError } from '../store/state-store.js';
import { StaleOwnerError, UnstorableError } from '../store/writer.js';
import { buildGroup, type Group } from './group.js';
import { type Item, isOfSpool, keepsBase, type OwnItem } from './item.js';

/** Records that one transaction holds at most, and their payload. */
const MAX_GROUP_ITEMS = 1024;
const MAX_GROUP_BYTES = 16 * 1024 * 1024;
/** Items other than those of spools that may wait; beyond it they are refused. Spools have windows of their own. */
const MAX_WAITING_OTHERS = 10_000;
/** While the database is away. */
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2_000;
/** Another engine holds the lock for so many tries in a row: this one has lost the database for good. */
const MAX_LOCKED_TRIES = 6;
export const RETRY_AFTER_MS = 1_000;

export interface CommitterEvents {
  /** After each transaction, in commit order, once memory shows it. */
  committed(group: Group, seconds: number): void;
  refused(item: Item, error: SentinelError): void;
  /** The database went away (with the reason) or is back (null). */
  storeChanged(error: unknown): void;
  /** Work can never go on: the process has to end. */
  fatal(error: unknown): void;
}

/** Execution counters of one device by family. */
export type Counters = ReadonlyMap<Family, Exposure>;

/**
 * The one loop that changes the state. It takes whatever waits, folds it into one transaction, commits it, and only then installs
 * the changed state and answers. After a failed commit the state is read back, and the head tells whether it took place.
 */
export class Committer {
  readonly spools = new Spools();
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #events: CommitterEvents;
  readonly #archived: () => CommitRows['archived'];
  readonly #backoff = new Backoff({ firstMs: FIRST_RETRY_MS, lastMs: LAST_RETRY_MS });
  readonly #epochs = new Map<string, number>();
  #state: CoreState;
  #head: Head = { commitSeq: 0, nowUs: 0 };
  #queue: Item[] = [];
  #others = 0;
  #running: Promise<void> | null = null;
  #stopped = false;
  /** The log does not say yet that the state was read back. */
  #resumed = false;
  /** The last transaction failed: a database that is read from may still take none, as with a full disk. */
  #refused = false;

  /** @param archived history that became durable since the last call */
  constructor(
    store: StateStore,
    clock: Clock,
    config: CoreConfig,
    events: CommitterEvents,
    archived: () => CommitRows['archived'],
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#events = events;
    this.#archived = archived;
    this.#state = emptyState(config);
  }

  /** As committed. Replaced by another object when it had to be read back: do not keep it. */
  get state(): CoreState {
    return this.#state;
  }

  get head(): Head {
    return this.#head;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Newest fencing epoch of a node; 0 = it never said hello. */
  epochOf(node: string): number {
    return this.#epochs.get(node) ?? 0;
  }

  countersOf(deviceId: string): Counters {
    return this.#state.exposure.get(deviceId) ?? new Map<Family, Exposure>();
  }

  /** Takes what the store holds; `config` stands in where it holds none yet. */
  load(loaded: LoadedState, config: CoreConfig): void {
    this.#state = loadState(savedState(loaded, config));
    this.#head = loaded.head;
    this.#resumed = loaded.head.commitSeq > 0;
    this.#epochs.clear();
    for (const { node, epoch } of loaded.owners) this.#epochs.set(node, epoch);
    for (const row of loaded.spools) {
      const mark = this.spools.open(row.node, row.spool_id);
      mark.committed = row.committed_through;
      // A history that is away does not say it: what an agent was told once goes on to hold.
      mark.archived = Math.max(mark.archived, row.archived_through);
    }
  }

  submit(item: Item): void {
    if (this.#stopped) return item.failed(shuttingDown());
    if (!isOfSpool(item)) {
      if (item.kind !== 'own' && !this.#store.up) return item.failed(storeAway());
      if (this.#others >= MAX_WAITING_OTHERS) return item.failed(overloaded());
      this.#others += 1;
    }
    this.#queue.push(item);
    this.wake();
  }

  /** Lets what waits be committed if the store is there, and refuses the rest. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (!this.#store.up) this.#refuseAll();
    await this.#running;
  }

  /** Something may have to be done: records wait, more is archived, or the store was lost. */
  wake(): void {
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    // Whatever arrives in this turn of the event loop shares the first transaction.
    await Promise.resolve();
    try {
      for (;;) {
        if (!this.#store.up && !this.#stopped) await this.#readBack();
        else if (this.#queue.length > 0 || this.#hasArchived()) await this.#commitAll(this.#take());
        else break;
      }
    } catch (error) {
      this.#stopped = true;
      this.#refuseAll();
      this.#events.fatal(error);
    }
    this.#running = null;
  }

  #hasArchived(): boolean {
    return !this.#stopped && this.#archived().length > 0;
  }

  /** At most one hello of a node: each raises its epoch by one. A base is alone: the copy is of the state right after it. */
  #take(): Item[] {
    const hellos = new Set<string>();
    const alone = this.#queue.slice(0, 1).some(keepsBase);
    let bytes = 0;
    let count = 0;
    for (const item of this.#queue) {
      if (count >= MAX_GROUP_ITEMS || bytes >= MAX_GROUP_BYTES) break;
      if (count > 0 && (alone || keepsBase(item))) break;
      if (item.kind === 'hello') {
        if (hellos.has(item.record.node)) break;
        hellos.add(item.record.node);
      }
      if (item.kind === 'uplink') bytes += item.payload.length;
      else if (item.kind === 'monitor') bytes += item.bytes;
      else this.#others -= 1;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  /** Until these are committed or refused. */
  async #commitAll(taken: Item[]): Promise<void> {
    const parts = [taken];
    for (let items = parts.pop(); items !== undefined; items = parts.pop()) {
      if (items.length === 0 && this.#stopped) continue;
      const group = this.#build(items);
      for (const { item, error } of group.refused) this.#refuse(item, error);
      const started = performance.now();
      try {
        if (!this.#store.up) throw storeAway();
        const epochs = isEmpty(group) ? new Map<string, number>() : await this.#store.commit(group.rows);
        this.#install(group, epochs, (performance.now() - started) / 1000);
      } catch (error) {
        const isolated = error instanceof UnstorableError && this.#store.up && group.logged.length > 0;
        parts.push(...(isolated ? this.#isolate(error, group) : [await this.#afterFailure(error, group)]));
      }
    }
  }

  /**
   * A record that the database cannot hold must cost its sender, no one else: halves are tried until it stands alone.
   * @returns what is to be tried again, the first part last
   */
  #isolate(error: UnstorableError, { logged, duplicates }: Group): Item[][] {
    const items = logged.map(({ item }) => item);
    const [first] = items;
    if (first !== undefined && items.length === 1) {
      this.#refuse(first, unstorable(first, error));
      return [[...duplicates]];
    }
    const half = Math.ceil(items.length / 2);
    return [[...items.slice(half), ...duplicates], items.slice(0, half)];
  }

  #build(items: readonly Item[]): Group {
    return buildGroup({
      state: this.#state,
      head: this.#head,
      nowUs: Number(this.#clock.nowUs()),
      items: this.#resumed ? [RESUMED, ...items] : items,
      epochOf: (node) => this.epochOf(node),
      archived: this.#archived(),
    });
  }

  #install(group: Group, epochs: ReadonlyMap<string, number>, seconds: number): void {
    install(group.draft);
    this.#resumed = false;
    if (this.#refused) this.#isBack();
    this.#settle(group, epochs, seconds);
  }

  /** Memory shows the transaction: answers everyone who waits for it. */
  #settle(group: Group, epochs: ReadonlyMap<string, number>, seconds: number): void {
    this.#head = group.rows.to;
    for (const [node, epoch] of epochs) this.#epochs.set(node, epoch);
    for (const row of group.rows.marks) this.spools.open(row.node, row.spool_id).committed = row.committed_through;
    for (const { item, effects } of group.logged) this.#answer(item, effects);
    for (const item of group.duplicates) item.committed();
    this.#events.committed(group, seconds);
  }

  #answer(item: Item, effects: Effects): void {
    switch (item.kind) {
      case 'hello':
        item.committed(this.#epochs.get(item.record.node) ?? 0);
        break;
      case 'order':
        item.committed(effects);
        break;
      case 'own':
      case 'uplink':
      case 'monitor':
        item.committed();
        break;
    }
  }

  #isBack(): void {
    this.#refused = false;
    this.#backoff.reset();
    this.#events.storeChanged(null);
  }

  /** Only what is committed shows that the database takes transactions again, so something is tried always. */
  async #noteFailure(error: unknown): Promise<void> {
    if (error instanceof StaleOwnerError) return;
    this.#events.storeChanged(error);
    if (this.#refused) await sleep(this.#backoff.nextMs());
    this.#refused = true;
  }

  /** @returns what is to be tried again */
  async #afterFailure(error: unknown, group: Group): Promise<Item[]> {
    await this.#noteFailure(error);
    const patient = group.logged.filter(({ item }) => item.kind === 'own' || isOfSpool(item));
    for (const { item } of group.logged)
      if (item.kind === 'hello' || item.kind === 'order') this.#refuse(item, storeAway(error));
    const loaded = await this.#readBack();
    if (loaded === null) {
      for (const { item } of patient) this.#refuse(item, shuttingDown());
      return [];
    }
    if (loaded.head.commitSeq < group.rows.to.commitSeq) {
      const again = [...patient.map(({ item }) => item), ...group.duplicates];
      return patient.length === 0 && this.#refused ? [PROOF, ...again] : again;
    }
    this.#isBack();
    // It took place: only the answer was lost. Hellos and orders were answered as failed, and are repeated by who sent them.
    const quiet = group.logged.map((entry) =>
      patient.includes(entry) ? entry : { ...entry, item: silenced(entry.item) },
    );
    this.#settle({ ...group, logged: quiet }, new Map(), 0);
    return [];
  }

  /** Waits until the store is back and takes what it holds; null = the engine stops meanwhile. @throws SentinelError when another engine has taken over */
  async #readBack(): Promise<LoadedState | null> {
    let locked = 0;
    while (!this.#stopped) {
      try {
        const loaded = await this.#store.recover();
        this.load(loaded, this.#state.config);
        if (!this.#refused) this.#isBack();
        return loaded;
      } catch (error) {
        if (error instanceof SupersededError) throw error;
        // What waits for an answer hears at once that there is none.
        this.#refuseImpatient();
        locked = SentinelError.from(error).reason === 'CONFLICT' ? locked + 1 : 0;
        if (locked >= MAX_LOCKED_TRIES) throw error;
        this.#events.storeChanged(error);
        await sleep(this.#backoff.nextMs());
      }
    }
    return null;
  }

  #refuse(item: Item, error: SentinelError): void {
    this.#events.refused(item, error);
    item.failed(error);
  }

  #refuseImpatient(): void {
    const impatient = this.#queue.filter(({ kind }) => kind === 'hello' || kind === 'order');
    if (impatient.length === 0) return;
    this.#queue = this.#queue.filter((item) => !impatient.includes(item));
    this.#others -= impatient.length;
    for (const item of impatient) this.#refuse(item, storeAway());
  }

  #refuseAll(): void {
    for (const item of this.#queue.splice(0)) this.#refuse(item, shuttingDown());
    this.#others = 0;
  }
}

const nothing = (): void => {};
/** The first record after the state was read back. */
const RESUMED: OwnItem = { kind: 'own', record: { kind: 'resumed' }, committed: nothing, failed: nothing };
/** Is tried where nothing else waits. */
const PROOF: OwnItem = { kind: 'own', record: { kind: 'timer' }, committed: nothing, failed: nothing };

/** Nothing to write: repeated records alone. */
function isEmpty({ rows }: Group): boolean {
  return rows.from.commitSeq === rows.to.commitSeq && rows.archived.length === 0;
}

function silenced(item: Item): Item {
  return { ...item, committed: () => {}, failed: () => {} };
}

function storeAway(cause?: unknown): SentinelError {
  return new SentinelError({
    code: 'UNAVAILABLE',
    reason: 'STORE_UNAVAILABLE',
    message: 'the database is away',
    retryAfterMs: RETRY_AFTER_MS,
    hint: 'Try again: nothing was acknowledged.',
    cause,
  });
}

function unstorable(item: Item, cause: UnstorableError): SentinelError {
  const message = `a record of kind ${item.record.kind} cannot be stored`;
  return new SentinelError({ code: 'INTERNAL', message, hint: 'This is a defect of the engine: see its log.', cause });
}

function overloaded(): SentinelError {
  return new SentinelError({
    code: 'RESOURCE_EXHAUSTED',
    message: 'too much waits for the database',
    retryAfterMs: RETRY_AFTER_MS,
  });
}

export function shuttingDown(): SentinelError {
  return new SentinelError({
    code: 'UNAVAILABLE',
    reason: 'SHUTTING_DOWN',
    message: 'the engine is stopping',
    retryAfterMs: RETRY_AFTER_MS,
    hint: 'Connect again: nothing was lost.',
  });
}
