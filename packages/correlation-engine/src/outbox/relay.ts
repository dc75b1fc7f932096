import {
  AuditType,
  type IngestEventsRequest,
  type IngestEventsResponse,
} from '@sentinel/contracts/sentinel/v1/audit.js';
import { Backoff } from '@sentinel/service-kit/backoff';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { AuditTypeName } from '../core.js';
import { SupersededError } from '../store/state-store.js';
import { checkGrowth, InconsistentLedgerError } from './checkpoint.js';
import { NOTHING_WAITS, type NumberedRow, type OutboxStore, type RelayState, type Waiting } from './outbox-store.js';

/** Events of one request. */
const MAX_BATCH = 256;
const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 10_000;
/** Without news the outbox is looked at this often, and the ledger is asked whether it only grew. */
const IDLE_MS = 30_000;

export interface RelayEvents {
  /** The ledger does not take them (with the reason), or takes them again (null). */
  changed(error: unknown): void;
  /** Two checkpoints of the ledger contradict each other, and are kept; null = it proves again that it only grew. */
  inconsistent(error: InconsistentLedgerError | null): void;
}

/** The ledger as the relay needs it. */
export interface LedgerCalls {
  ingest(request: IngestEventsRequest): Promise<IngestEventsResponse>;
  consistencyProof(oldSize: number, newSize: number): Promise<readonly Uint8Array[]>;
  /** The newest signed checkpoint. */
  checkpoint(): Promise<string>;
  /** Rollbacks that the ledger itself says were accepted, newest first. */
  rollbacks(sinceUs: number): Promise<readonly LedgerRollback[]>;
}

export interface LedgerRollback {
  /** Entries that were left. */
  readonly size: number;
  readonly receivedUs: number;
}

/**
 * Brings the outbox to the audit ledger, in order, each event once: ids and numbers are stored before anything is sent, and a
 * retry repeats them. While the ledger is away the rows wait; nothing else does. Of several relays the newest leader's delivers.
 */
export class Relay {
  readonly #store: OutboxStore;
  readonly #ledger: LedgerCalls;
  readonly #events: RelayEvents;
  readonly #backoff = new Backoff({ firstMs: FIRST_RETRY_MS, lastMs: LAST_RETRY_MS });
  #state: RelayState | null = null;
  #news = Promise.withResolvers<void>();
  #waiting: Waiting = NOTHING_WAITS;
  #stopped = false;
  #loop: Promise<void> = Promise.resolve();

  constructor(store: OutboxStore, ledger: LedgerCalls, events: RelayEvents) {
    this.#store = store;
    this.#ledger = ledger;
    this.#events = events;
  }

  /** Rows that wait, as last known. */
  get pending(): number {
    return this.#waiting.count;
  }

  /** By how many seconds the ledger is behind: the age of the oldest event that waits; 0 = nothing does. */
  lagSeconds(nowUs: number): number {
    const { oldestUs } = this.#waiting;
    return oldestUs === null ? 0 : Math.max(0, nowUs - oldestUs) / 1e6;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Rows were committed. @param nowUs time of their commit */
  added(rows: number, nowUs: number): void {
    if (rows === 0) return;
    const { count, oldestUs } = this.#waiting;
    this.#waiting = { count: count + rows, oldestUs: oldestUs ?? nowUs };
    this.#news.resolve();
  }

  /** What is stored of the ledger changed under it: it is read again. */
  reread(): void {
    this.#state = null;
    this.#backoff.reset();
    this.#news.resolve();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#news.resolve();
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      // Taken before the outbox is read: news that come meanwhile are then not missed.
      this.#news = Promise.withResolvers();
      try {
        const sent = await this.#step();
        this.#backoff.reset();
        if (sent === 0 && !(await this.#wait(IDLE_MS))) await this.#lookAtLedger();
      } catch (error) {
        // Whether this engine still leads is asked with the next epoch.
        if (error instanceof SupersededError) this.#state = null;
        await this.#pause(this.#backoff.nextMs());
      }
    }
  }

  /** @returns the number of events that the ledger took */
  async #step(): Promise<number> {
    this.#state ??= await this.#takeOver();
    const rows = await this.#store.next(this.#state.epoch, MAX_BATCH);
    if (rows.length > 0) await this.#deliver(rows, this.#state);
    this.#waiting = await this.#store.waiting();
    return rows.length;
  }

  /** What waits already is known before the ledger answers for the first time. */
  async #takeOver(): Promise<RelayState> {
    const state = await this.#store.takeOver();
    this.#waiting = await this.#store.waiting();
    return state;
  }

  async #deliver(rows: readonly NumberedRow[], state: RelayState): Promise<void> {
    const answer = await this.#ofLedger(() => this.#ingest(rows, state));
    await this.#store.acknowledge(state.epoch, rows, answer.seqs.map(Number), answer.checkpoint);
    this.#state = { ...state, checkpoint: answer.checkpoint };
    this.#events.changed(null);
  }

  async #ingest(rows: readonly NumberedRow[], { instance, checkpoint }: RelayState): Promise<IngestEventsResponse> {
    const answer = await this.#ledger.ingest(toRequest(rows, instance));
    if (answer.seqs.length !== rows.length) {
      throw new SentinelError({
        code: 'INTERNAL',
        message: `the ledger answered ${answer.seqs.length} events of ${rows.length}`,
      });
    }
    await this.#checkGrowth(checkpoint, answer.checkpoint);
    return answer;
  }

  /** What fails in `work` is the ledger's doing, and nothing else is: a database that is away is said elsewhere. */
  async #ofLedger<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#events.changed(error);
      throw error;
    }
  }

  /** While nothing happens nobody else would notice that the ledger is away, or is not what it was. */
  async #lookAtLedger(): Promise<void> {
    const before = this.#state?.checkpoint ?? '';
    if (before === '') return;
    await this.#ofLedger(async () => await this.#checkGrowth(before, await this.#ledger.checkpoint()));
    this.#events.changed(null);
  }

  /** What the ledger said it did is not believed before: the rows stay, and the next try asks again. */
  async #checkGrowth(before: string, after: string): Promise<void> {
    try {
      await checkGrowth(before, after, (oldSize, newSize) => this.#ledger.consistencyProof(oldSize, newSize));
      this.#events.inconsistent(null);
    } catch (error) {
      if (!(error instanceof InconsistentLedgerError)) throw error;
      await this.#store.keepEvidence(error.first, error.second, error.message);
      this.#events.inconsistent(error);
      throw error;
    }
  }

  /** @returns whether there were news before the time was over */
  async #wait(ms: number): Promise<boolean> {
    let over = false;
    const timer = setTimeout(() => {
      over = true;
      this.#news.resolve();
    }, ms);
    await this.#news.promise;
    clearTimeout(timer);
    return !over;
  }

  /** News do not shorten it; a stop does. */
  async #pause(ms: number): Promise<void> {
    const until = performance.now() + ms;
    while (!this.#stopped && performance.now() < until) {
      this.#news = Promise.withResolvers();
      await this.#wait(Math.max(1, until - performance.now()));
    }
  }
}

export function toRequest(rows: readonly NumberedRow[], instance: string): IngestEventsRequest {
  const [first] = rows;
  return {
    producer: `correlation-engine/${instance}`,
    producerEpoch: BigInt(first?.relay_epoch ?? 0),
    firstSequence: BigInt(first?.number ?? 0),
    events: rows.map((row) => ({
      eventId: Buffer.from(row.event_id, 'hex'),
      type: AuditType[row.type as AuditTypeName],
      gpu: row.gpu,
      eventUs: BigInt(row.event_us),
      detail: Buffer.from(row.detail, 'utf8'),
      injected: row.injected,
    })),
  };
}
