import { setTimeout as sleep } from 'node:timers/promises';
import { Backoff } from '@sentinel/service-kit/backoff';
import type { CommitRows } from '../commit-rows.js';
import type { SpoolMark } from '../spools.js';
import { AwayHistory } from './away-history.js';
import type { HistoryRecord } from './history-record.js';
import type { HistoryStore } from './history-store.js';

/** Committed records that wait for the disk. What comes beyond is left to its agent, which keeps it and is asked for it later. */
export const MAX_WAITING_BYTES = 64 * 1024 * 1024;
const MAX_GROUP_RECORDS = 1024;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;
/** Between two looks at a store to which nothing is written. */
const WATCH_MS = 10_000;
/** A hello waits no longer for the history. */
const REFRESH_TIMEOUT_MS = 1_000;

type ArchivedRow = CommitRows['archived'][number];

export interface ArchiverEvents {
  /** History of the spool is durable up to `mark.archived`, and the database knows. */
  archived(mark: SpoolMark): void;
  /** More became durable, of which the database has not heard. */
  risen(): void;
  /** Records of the spool were left out; its agent has to offer them again. */
  behind(mark: SpoolMark): void;
  /** The history store fails (with the reason), or works again (null). */
  changed(error: unknown): void;
}

/**
 * Brings committed records into the history, each exactly once and in order per spool. It works behind the commits: while the
 * history is away, decisions go on and agents keep their records.
 */
export class Archiver {
  readonly #open: () => Promise<HistoryStore>;
  readonly #events: ArchiverEvents;
  readonly #backoff = new Backoff({ firstMs: FIRST_RETRY_MS, lastMs: LAST_RETRY_MS });
  /** Newest record per spool that waits. */
  readonly #tails = new Map<SpoolMark, number>();
  readonly #holes = new Set<SpoolMark>();
  /**
   * Up to where the history of a spool is durable, where the database has not heard of it. What an agent is told comes from there:
   * whoever decides next may not reach the history, and must not take back what was said.
   */
  readonly #risen = new Map<SpoolMark, number>();
  #waiting: { mark: SpoolMark; record: HistoryRecord }[] = [];
  #bytes = 0;
  #store: HistoryStore;
  #running: Promise<void> | null = null;
  #watching: NodeJS.Timeout | undefined;
  /** Whether the store failed when it was last asked. */
  #away = false;
  readonly #stopped = new AbortController();

  /** @param open opens the store again after a failure that it cannot go on from */
  constructor(store: HistoryStore, open: () => Promise<HistoryStore>, events: ArchiverEvents) {
    this.#store = store;
    this.#open = open;
    this.#events = events;
  }

  /** Looks now and again whether the store is there, also when no record comes that would show it. */
  watch(): void {
    this.check();
    this.#watching = setInterval(() => this.check(), WATCH_MS);
  }

  /** Asks whether the store is there. While it is not, it is asked again. */
  check(): void {
    this.#away = true;
    this.#running ??= this.#run();
  }

  get store(): HistoryStore {
    return this.#store;
  }

  get waitingBytes(): number {
    return this.#bytes;
  }

  /** Takes over what the store has of this spool; while it has not said, what the database knows holds. */
  adopt(mark: SpoolMark): void {
    const known = this.#store.archivedThrough(mark.node, mark.spoolId);
    if (known === null) return;
    const durable = Math.min(known, mark.committed);
    if (durable <= mark.archived) mark.archived = durable;
    else if (durable !== this.#risen.get(mark)) {
      this.#risen.set(mark, durable);
      this.#events.risen();
    }
  }

  /** The same, of a spool that another engine may have served until now. A store that does not answer in time is not waited for. */
  async refresh(mark: SpoolMark): Promise<void> {
    const asked = this.#store.refresh(mark.node, mark.spoolId);
    await Promise.race([asked, sleep(REFRESH_TIMEOUT_MS, undefined, { ref: false })]).catch((error: unknown) => {
      this.#events.changed(error);
      this.check();
    });
    asked.catch(() => {});
    this.adopt(mark);
  }

  /** A committed record. One that is waiting or durable already is ignored; one that leaves a hole is left to its agent. */
  offer(mark: SpoolMark, record: HistoryRecord): void {
    // An agent offers all that it was not told to be archived. So where nothing is known, its history goes on with what comes first.
    const tail = this.#tails.get(mark) ?? this.#store.archivedThrough(mark.node, mark.spoolId) ?? record.sequence - 1;
    if (record.sequence <= tail) return this.adopt(mark);
    if (record.sequence !== tail + 1 || this.#bytes >= MAX_WAITING_BYTES || this.#stopped.signal.aborted) {
      this.#holes.add(mark);
    } else {
      this.#waiting.push({ mark, record });
      this.#bytes += record.payload.length;
      this.#tails.set(mark, record.sequence);
    }
    this.#running ??= this.#run();
  }

  /** Rows for the next transaction; `stored` takes them off once it is committed. */
  risen(): ArchivedRow[] {
    return Array.from(this.#risen, ([{ node, spoolId }, durable]) => ({
      node,
      spool_id: spoolId,
      archived_through: durable,
    }));
  }

  /** The database knows: now agents may give these up. */
  stored(rows: readonly ArchivedRow[]): void {
    if (rows.length === 0) return;
    const through = new Map(rows.map((row) => [`${row.spool_id}${row.node}`, row.archived_through]));
    for (const [mark, durable] of this.#risen) {
      const archived = through.get(`${mark.spoolId}${mark.node}`);
      if (archived === undefined) continue;
      if (archived === durable) this.#risen.delete(mark);
      mark.archived = Math.max(mark.archived, archived);
      this.#events.archived(mark);
    }
  }

  /** Writes what waits, if the store takes it. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    clearInterval(this.#watching);
    await this.#running;
    await this.#store.close();
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    while (this.#waiting.length > 0 || (this.#away && !this.#stopped.signal.aborted)) {
      try {
        if (this.#waiting.length > 0) await this.#append(this.#waiting.slice(0, MAX_GROUP_RECORDS));
        else await this.#store.probe();
        this.#away = false;
        this.#backoff.reset();
        this.#events.changed(null);
      } catch (error) {
        this.#away = true;
        this.#events.changed(error);
        if (this.#stopped.signal.aborted) break;
        await this.#openAgain();
      }
    }
    this.#running = null;
    for (const mark of this.#holes) this.#events.behind(mark);
    this.#holes.clear();
  }

  async #append(group: readonly { mark: SpoolMark; record: HistoryRecord }[]): Promise<void> {
    await this.#store.append(group.map(({ record }) => record));
    this.#waiting.splice(0, group.length);
    for (const { mark, record } of group) {
      this.#bytes -= record.payload.length;
      if (this.#tails.get(mark) === record.sequence) this.#tails.delete(mark);
    }
    for (const mark of new Set(group.map((entry) => entry.mark))) this.adopt(mark);
  }

  /** A store that failed may not know what is durable: only the files do. */
  async #openAgain(): Promise<void> {
    await sleep(this.#backoff.nextMs(), undefined, { signal: this.#stopped.signal }).catch(() => {});
    try {
      await this.#store.close();
      this.#store = await this.#open();
    } catch (error) {
      this.#store = new AwayHistory(error);
      this.#events.changed(error);
    }
  }
}
