import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Tokens } from '@sentinel/service-kit/auth';
import type { LoadedConfig } from '@sentinel/service-kit/config';
import type { SentinelError } from '@sentinel/service-kit/errors';
import type { GrpcServer, ServiceEntry } from '@sentinel/service-kit/grpc-server';
import type { Logger } from '@sentinel/service-kit/logging';
import type { HttpAnswer, HttpRequest } from '../api/http/routes.js';
import type { Leadership, Lease } from '../store/lease.js';
import type { LoadedState } from '../store/loaded-state.js';
import { type StateStore, SupersededError } from '../store/state-store.js';
import { httpService } from './carried-http.js';
import { Carrier } from './carrier.js';
import { ClockWatch, MOST_AHEAD_MS } from './clock-watch.js';
import { Election } from './election.js';
import { leaderService } from './leader-watch.js';
import { advertised, linkTo, startLinkServer } from './link-server.js';

export const SUPERSEDED = 'its lease was over and another one took the lead';
const EXPIRED = 'the database did not renew its lease in time';

export interface ReplicaParts {
  readonly loaded: () => LoadedConfig<'correlation_engine'>;
  readonly log: Logger;
  readonly store: StateStore;
  readonly lease: Lease;
  /** What this replica led before touches the store no more. */
  readonly idle: () => Promise<void>;
  /** This replica has the lead, and the state as it is stored: from here on it decides. */
  readonly decide: (state: LoadedState) => Promise<void>;
  /** It leads no more, and why. */
  readonly deposed: (why: string) => void;
  /** The database does not answer (with the reason), or answers again (null). Of a leader the commits say it. */
  readonly storeChanged: (error: unknown) => void;
  /** Of this machine, microseconds since the Unix epoch. */
  readonly nowUs: () => number;
  /** Why the clock of this machine is not to be trusted, as a sentence; null = it is again. */
  readonly clockChanged: (trouble: string | null) => void;
  /** It became possible or impossible to reach the leader. */
  readonly changed: () => void;
}

export interface ReplicaServices {
  /** As this replica answers them while it decides. */
  readonly services: readonly ServiceEntry[];
  readonly http: (request: HttpRequest) => Promise<HttpAnswer>;
  /** This replica decides, and can commit what it decides. */
  readonly decides: () => boolean;
  readonly tokens: Tokens;
  readonly onRefused: (error: SentinelError) => void;
}

/** One of several engines on one database: decides, or carries to the one that does. */
export class Replica {
  readonly id = `${hostname()}-${randomBytes(4).toString('hex')}`;
  readonly carrier: Carrier;
  readonly #parts: ReplicaParts;
  readonly #election: Election;
  readonly #clock: ClockWatch;
  /** Name of whoever decides; null = nobody. undefined = not known yet. */
  #leader: string | null | undefined;
  #server: GrpcServer | null = null;
  #address = '';

  constructor(parts: ReplicaParts) {
    this.#parts = parts;
    this.carrier = new Carrier({
      replica: this.id,
      log: parts.log,
      connect: (address) => linkTo(address, parts.loaded().config),
      changed: parts.changed,
    });
    this.#clock = new ClockWatch(parts.nowUs, parts.clockChanged);
    this.#election = new Election(parts.lease, {
      epoch: () => (parts.store.holds ? parts.store.epoch : null),
      follow: (leader) => this.#follow(leader),
      lead: (epoch) => this.#lead(epoch),
      defers: (nowUs) => {
        this.#clock.compare(nowUs);
        return this.#clock.isFarAhead;
      },
      superseded: () => parts.deposed(SUPERSEDED),
      expired: () => parts.deposed(EXPIRED),
      failed: (error) => {
        if (!this.leads) parts.storeChanged(error);
      },
    });
  }

  get leads(): boolean {
    return this.#leader === this.id;
  }

  /** Name of whoever decides; '' = nobody, as far as is known. */
  get leader(): string {
    return this.#leader ?? '';
  }

  /** Of the database's clock, milliseconds. */
  get clockAheadMs(): number {
    return this.#clock.aheadMs;
  }

  /** Opens the port for the others, then looks who leads. */
  async start(services: ReplicaServices): Promise<void> {
    const { loaded, log } = this.#parts;
    const { tokens, onRefused } = services;
    const all = [...services.services, httpService(services.http, log), leaderService(services.decides, log)];
    this.#server = await startLinkServer({ loaded: loaded(), tokens, services: all, log, onRefused });
    this.#address = advertised(loaded().config, this.#server.address);
    this.#election.start();
  }

  /** The lead was lost: looks again. */
  yield(): void {
    this.#leader = undefined;
    this.#election.yield();
  }

  /** Seeks the lead no more. */
  stopSeeking(): Promise<void> {
    return this.#election.stop();
  }

  /** Gives up the lead, so that another replica need not wait for the end of the lease. Nothing is to be committed any more. */
  async release(): Promise<void> {
    const { store } = this.#parts;
    const { epoch } = store;
    await store.release();
    if (this.leads) await this.#election.release(epoch);
  }

  async close(): Promise<void> {
    this.carrier.to(null);
    await this.#server?.stop();
    await this.#election.close();
  }

  #follow(leader: Leadership | null): void {
    const { log, storeChanged } = this.#parts;
    storeChanged(null);
    if (this.#leader === (leader?.holder ?? null)) return;
    this.#leader = leader?.holder ?? null;
    this.carrier.to(leader?.address ?? null);
    if (leader === null) log.warn('no replica decides: one takes over as soon as the lock of the database is free');
    else log.info({ leader: leader.holder, address: leader.address, epoch: leader.epoch }, 'another replica decides');
  }

  /** Time never goes back: where it was taken ahead it stands still until it is reached. */
  #sayTime({ head }: LoadedState): void {
    const aheadMs = (head.nowUs - this.#parts.nowUs()) / 1000 + this.#clock.aheadMs;
    if (aheadMs <= MOST_AHEAD_MS) return;
    this.#parts.log.error(
      { until: new Date(head.nowUs / 1000).toISOString() },
      `the time of the log is ${Math.round(aheadMs / 1000)} s ahead of the database's, as a replica with a wrong clock left it: until then nothing ages or expires`,
    );
  }

  async #lead(after: number): Promise<boolean> {
    const { store, lease, log, idle, decide } = this.#parts;
    await idle();
    const started = performance.now();
    const state = await store.take({ holder: this.id, address: this.#address, after });
    if (state === null) return false;
    const { epoch } = store;
    try {
      // What was read is taken over in one go, and meanwhile nothing renews the lease: it has all its time before it.
      if (!(await lease.renew(epoch))) throw new SupersededError();
      await decide(state);
    } catch (error) {
      await store.release();
      await this.#election.release(epoch);
      throw error;
    }
    this.#leader = this.id;
    this.carrier.to(null);
    const seconds = (performance.now() - started) / 1000;
    const facts = { replica: this.id, epoch, devices: state.devices.length, commitSeq: state.head.commitSeq, seconds };
    log.info(facts, 'this replica decides');
    this.#sayTime(state);
    return true;
  }
}
