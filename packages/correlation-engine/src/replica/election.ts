import { setTimeout as sleep } from 'node:timers/promises';
import type { Leadership, Lease } from '../store/lease.js';

/** How often the leader says that it is there while a lease lasts: twice may fail before it is over. */
const RENEWALS = 3;
/** How often the others look. */
const POLL_MS = 200;
/** How long a replica that is to lead only where nobody else does leaves the lead to others. */
const DEFER_MS = 3_000;
/** After an attempt to lead that failed. */
const PAUSE_MS = 1_000;

/** What is asked of the leader's row. */
type LeaseRow = Pick<Lease, keyof Lease>;

export interface Candidate {
  /** Whoever leads, unless it is this one; null = nobody. Repeated while it lasts. */
  follow(leader: Leadership | null): void;
  /**
   * Takes the lead if nobody came after `epoch`.
   * @returns false when another one was first
   */
  lead(epoch: number): Promise<boolean>;
  /** Another one would do it better, if there is one. @param nowUs time of the database */
  defers(nowUs: number): boolean;
  /** Epoch of the right to write that this replica has; null = none. */
  epoch(): number | null;
  /** The lead is another one's. */
  superseded(): void;
  /** The lease could not be renewed while it ran, by the clock of this replica: another one may have the lead. */
  expired(): void;
  /** The database does not answer (with the reason), or a try to lead failed. */
  failed(error: unknown): void;
}

/** Who of the replicas decides. Whoever does keeps its lease; whoever does not looks whether it is over, and then tries to take the lead. */
export class Election {
  readonly #lease: LeaseRow;
  readonly #candidate: Candidate;
  readonly #renewMs: number;
  readonly #over = new AbortController();
  #leading: PromiseWithResolvers<void> | null = null;
  #lookedAt = performance.now();
  /** Since when nobody leads, as far as this one saw; null = somebody does. */
  #freeSince: number | null = null;
  #following: Promise<void> = Promise.resolve();
  #renewing: Promise<void> = Promise.resolve();

  constructor(lease: LeaseRow, candidate: Candidate) {
    this.#lease = lease;
    this.#candidate = candidate;
    this.#renewMs = lease.ms / RENEWALS;
  }

  start(): void {
    this.#lookedAt = performance.now();
    this.#following = this.#follow();
    this.#renewing = this.#renew();
  }

  /** The lead was lost: looks again. */
  yield(): void {
    this.#leading?.resolve();
    this.#leading = null;
  }

  /** Neither seeks nor renews: what is held is to be released before its lease is over. */
  async stop(): Promise<void> {
    this.#over.abort();
    this.yield();
    await Promise.all([this.#following, this.#renewing]);
  }

  /** Gives up what was held, so that no other replica need wait for the end of the lease. */
  release(epoch: number): Promise<void> {
    return this.#lease.release(epoch);
  }

  close(): Promise<void> {
    return this.#lease.close();
  }

  async #follow(): Promise<void> {
    while (!this.#over.signal.aborted) {
      try {
        await this.#look();
        await this.#pause(POLL_MS);
      } catch (error) {
        this.#candidate.failed(error);
        await this.#pause(PAUSE_MS);
      }
    }
  }

  async #look(): Promise<void> {
    const seen = await this.#read();
    this.#candidate.follow(seen.valid ? seen : null);
    const defers = this.#candidate.defers(seen.nowUs);
    this.#freeSince = seen.valid ? null : (this.#freeSince ?? performance.now());
    if (this.#freeSince === null || this.#over.signal.aborted) return;
    if (defers && performance.now() - this.#freeSince < DEFER_MS) return;
    const leading = Promise.withResolvers<void>();
    this.#leading = leading;
    if (await this.#candidate.lead(seen.epoch)) await leading.promise;
  }

  /**
   * Whoever has not looked for a while, as where its process stood still or nobody reached the database, does not know whether the
   * leader had the time to renew its lease: it is given that time.
   */
  async #read(): Promise<Leadership> {
    let seen = await this.#lease.read();
    const blindMs = performance.now() - this.#lookedAt;
    if (!seen.valid && seen.holder !== '' && blindMs >= this.#lease.ms - this.#renewMs) {
      await this.#pause(this.#renewMs);
      seen = await this.#lease.read();
    }
    this.#lookedAt = performance.now();
    return seen;
  }

  /** Also while the state is read, which may take longer than a lease. Whoever cannot write must not keep others from it. */
  async #renew(): Promise<void> {
    let renewedAt = performance.now();
    while (!this.#over.signal.aborted) {
      const epoch = this.#candidate.epoch();
      const askedAt = performance.now();
      try {
        const renewed = epoch === null || (await this.#lease.renew(epoch));
        if (renewed) renewedAt = askedAt;
        else if (this.#candidate.epoch() === epoch) this.#candidate.superseded();
      } catch (error) {
        if (performance.now() - renewedAt >= this.#lease.ms && this.#candidate.epoch() === epoch)
          this.#candidate.expired();
        this.#candidate.failed(error);
      }
      await this.#pause(this.#renewMs);
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#over.signal }).catch(() => {});
  }
}
