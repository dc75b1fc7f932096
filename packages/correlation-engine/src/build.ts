import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Tokens } from '@sentinel/service-kit/auth';
import { type Clock, systemClock } from '@sentinel/service-kit/clock';
import type { CorrelationEngineConfig, LoadedConfig } from '@sentinel/service-kit/config';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { ClientConnection } from '@sentinel/service-kit/grpc-client';
import type { GrpcServer } from '@sentinel/service-kit/grpc-server';
import { type ReadyInfo, type Service, StopStack } from '@sentinel/service-kit/lifecycle';
import type { Logger } from '@sentinel/service-kit/logging';
import { createRegistry } from '@sentinel/service-kit/metrics';
import { reloadConfig } from '@sentinel/service-kit/reload';
import {
  asksForHealth,
  type HealthReport,
  type HttpAnswer,
  type HttpRequest,
  healthAnswer,
  routes,
} from './api/http/routes.js';
import { engineServices } from './api/services.js';
import { shuttingDown } from './commit/committer.js';
import type { Admission } from './control/handshake.js';
import { type CoreConfig, emptyState } from './core.js';
import { observeGauges } from './events/gauges.js';
import type { Store } from './events/stores.js';
import { Events } from './events.js';
import { WINDOW_RECORDS } from './ingest/stream-results.js';
import { Lead } from './lead.js';
import { Election } from './replica/election.js';
import { noLeader, notLeading } from './replica/no-leader.js';
import { serve } from './serve.js';
import { admission, coreConfig, databaseOptions, isReplicated } from './settings.js';
import { Database } from './store/connect.js';
import { AwayHistory } from './store/history/away-history.js';
import type { HistoryStore } from './store/history/history-store.js';
import { isClustered, openHistory } from './store/history/open.js';
import { type Leadership, Lease } from './store/lease.js';
import { type LoadedState, StateStore, SupersededError } from './store/state-store.js';

const SECTION = 'correlation_engine';
/** A manifest of cohorts that expires within this time is said at start and at SIGHUP. */
const EXPIRY_NOTICE_US = 14 * 86_400_000_000;

export interface EngineOptions {
  readonly loaded: LoadedConfig<'correlation_engine'>;
  readonly log: Logger;
  /** Called when the engine can never go on. */
  readonly fatal: (error: unknown) => void;
  readonly clock?: Clock;
  /** Opens the history; that of the settings by default. */
  readonly openHistory?: () => Promise<HistoryStore>;
}

/** The composition root: builds every part by hand, starts them in the order of the data, stops them in reverse. */
export class Engine implements Service {
  readonly #options: EngineOptions;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #registry = createRegistry();
  readonly #events: Events;
  readonly #store: StateStore;
  /** null = the only engine of its database. */
  readonly #election: Election | null;
  readonly #id = `${hostname()}-${randomBytes(4).toString('hex')}`;
  readonly #stopping = new StopStack();
  readonly #troubles = new Map<string, string>();
  #loaded: LoadedConfig<'correlation_engine'>;
  #admission: Admission;
  /** What decisions depend on, as it was last accepted. */
  #core: CoreConfig;
  #server: GrpcServer | null = null;
  /** null = another replica decides, or none. */
  #lead: Lead | null = null;
  #handle: ((request: HttpRequest) => Promise<HttpAnswer>) | null = null;
  /** Leads that were lost are over. */
  #retired: Promise<void> = Promise.resolve();
  #leader: string | null = null;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#loaded = options.loaded;
    this.#log = options.log;
    this.#clock = options.clock ?? systemClock;
    this.#admission = admission(this.#config);
    this.#core = this.#acceptedCore();
    this.#events = new Events(this.#log, this.#registry);
    const database = new Database(databaseOptions(this.#config), this.#log);
    this.#store = new StateStore(database, this.#log, () => this.#lead?.committer.wake());
    this.#election = isReplicated(this.#config) ? this.#buildElection(database) : null;
  }

  get #config(): CorrelationEngineConfig {
    return this.#loaded.config;
  }

  async start(): Promise<ReadyInfo> {
    try {
      this.#sayBackends();
      this.#stopping.push('database', () => this.#store.close());
      this.#stopping.push('history and outbox', () => Promise.all([this.#lead?.stop(), this.#retired]).then(() => {}));
      if (this.#election === null) this.#decide(await this.#store.open(), await this.#openHistory());
      else await this.#store.prepare();
      this.#observe();
      const ready = await this.#serve();
      this.#election?.start();
      return ready;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.#stopping.stop();
  }

  /** What may change does so at once; the log says what waits for a restart. */
  reload(): void {
    this.#loaded = reloadConfig(this.#loaded, this.#log);
    this.#admission = admission(this.#config);
    try {
      this.#core = this.#acceptedCore();
      this.#lead?.submitConfig();
    } catch (error) {
      const { field, sentence } = SentinelError.from(error);
      this.#log.error({ field }, `decisions keep the settings of before: ${sentence}`);
    }
  }

  /** @throws SentinelError FAILED_PRECONDITION where the manifest of cohorts is not to be believed */
  #acceptedCore(): CoreConfig {
    const nowUs = Number(this.#clock.nowUs());
    const core = coreConfig(this.#config, nowUs);
    if (core.vouchedUntilUs !== null && core.vouchedUntilUs - nowUs <= EXPIRY_NOTICE_US) {
      const expires = new Date(core.vouchedUntilUs / 1000).toISOString();
      this.#log.warn(
        { expires },
        'the manifest of cohorts expires soon: sign a new one, or no engine will start with it',
      );
    }
    return core;
  }

  #buildElection(database: Database): Election {
    const lease = new Lease(
      database.pool((error) => this.#log.debug({ err: error }, 'the lease lost its connection'), 1),
    );
    return new Election(lease, {
      epoch: () => (this.#store.holds ? this.#store.epoch : null),
      follow: (leader) => this.#follow(leader),
      lead: (epoch) => this.#takeLead(epoch),
      superseded: () => this.#yield(),
      failed: (error) => {
        // Of the one that decides, the commits say it.
        if (this.#lead === null) this.#storeChanged('state', error);
      },
    });
  }

  #follow(leader: Leadership | null): void {
    this.#storeChanged('state', null);
    if (this.#leader === (leader?.holder ?? null)) return;
    this.#leader = leader?.holder ?? null;
    if (leader === null)
      this.#log.warn('no replica decides: one takes over as soon as the lock of the database is free');
    else
      this.#log.info(
        { leader: leader.holder, address: leader.address, epoch: leader.epoch },
        'another replica decides',
      );
  }

  async #takeLead(after: number): Promise<boolean> {
    await this.#retired;
    const started = performance.now();
    const state = await this.#store.take({ holder: this.#id, address: '', after });
    if (state === null) return false;
    const { epoch } = this.#store;
    try {
      const history = await this.#openHistory().catch((error: unknown) => {
        this.#storeChanged('history', error);
        return new AwayHistory();
      });
      this.#decide(state, history);
    } catch (error) {
      await this.#store.release();
      await this.#election?.release(epoch);
      throw error;
    }
    this.#leader = this.#id;
    const seconds = (performance.now() - started) / 1000;
    const facts = { replica: this.#id, epoch, devices: state.devices.length, commitSeq: state.head.commitSeq, seconds };
    this.#log.info(facts, 'this replica decides');
    return true;
  }

  #decide(state: LoadedState, history: HistoryStore): void {
    const lead: Lead = new Lead(
      {
        config: () => this.#config,
        coreConfig: () => this.#core,
        admission: () => this.#admission,
        log: this.#log,
        clock: this.#clock,
        events: this.#events,
        store: this.#store,
        openHistory: () => this.#openHistory(),
        ledger: () => this.#ledgerConnection(),
        storeChanged: (store, error) => this.#storeChanged(store, error),
        fatal: (error) => (error instanceof SupersededError ? this.#yield() : this.#options.fatal(error)),
      },
      history,
      state,
    );
    this.#lead = lead;
    this.#handle = routes(lead.api, () => this.#tokens);
    lead.start();
  }

  /** Another replica decides: nothing that this one still does can be committed. */
  #yield(): void {
    const lead = this.#lead;
    if (lead === null) return;
    this.#lead = null;
    this.#handle = null;
    this.#log.warn('this replica does not decide any more: its lease was over and another one took the lead');
    lead.endStreams(notLeading());
    this.#retired = this.#retire(lead);
    this.#election?.yield();
  }

  async #retire(lead: Lead): Promise<void> {
    await this.#store.release();
    await lead
      .stop()
      .catch((error: unknown) => this.#log.error({ err: error }, 'what this replica led did not end well'));
  }

  #openHistory(): Promise<HistoryStore> {
    return this.#options.openHistory?.() ?? openHistory(this.#config, this.#log);
  }

  #observe(): void {
    const nothing = emptyState(this.#core);
    observeGauges(
      {
        state: () => this.#lead?.committer.state ?? nothing,
        nowUs: () => this.#lead?.committer.head.nowUs ?? 0,
        connectedAgents: () => this.#lead?.sessions.size ?? 0,
        waitingRecords: () => this.#lead?.committer.waiting ?? 0,
        waitingHistoryBytes: () => this.#lead?.waitingHistoryBytes ?? 0,
        outboxPending: () => this.#lead?.outboxPending ?? 0,
      },
      this.#registry,
      this.#config.metrics.per_gpu_series_max_gpus,
      WINDOW_RECORDS,
    );
  }

  async #serve(): Promise<ReadyInfo> {
    const { ready, grpc } = await serve({
      loaded: this.#loaded,
      log: this.#log,
      registry: this.#registry,
      events: this.#events,
      stopping: this.#stopping,
      tokens: () => this.#tokens,
      handle: async (request) => {
        if (asksForHealth(request)) return healthAnswer(this.#health());
        if (this.#handle === null) throw noLeader();
        return this.#handle(request);
      },
      services: (mutualTls) => engineServices(() => this.#lead, mutualTls, this.#log),
    });
    this.#server = grpc;
    this.#stopping.push('decisions', () => this.#stopDeciding());
    this.#stopping.push('streams', () => this.#lead?.endStreams(shuttingDown()));
    return ready;
  }

  /** Before anything that takes longer: another replica waits for it. */
  async #stopDeciding(): Promise<void> {
    await this.#election?.stop();
    await this.#lead?.stopDeciding();
    if (this.#election === null) return;
    const { epoch } = this.#store;
    await this.#store.release();
    if (this.#lead !== null) await this.#election.release(epoch);
    await this.#election.close();
  }

  #health(): HealthReport {
    const of = (store: Store) => (this.#events.isUp(store) ? 'up' : 'away');
    return {
      reasons: [...this.#troubles.values()],
      stores: { state: of('state'), history: of('history'), ledger: of('ledger') },
      activeAgents: this.#lead?.sessions.size ?? 0,
      uptimeSeconds: Math.floor(process.uptime()),
    };
  }

  #storeChanged(store: 'state' | 'history', error: unknown): void {
    this.#events.storeChanged(store, error);
    if (error === null) this.#troubles.delete(store);
    else
      this.#troubles.set(
        store,
        store === 'state'
          ? 'the database is away: nothing is acknowledged'
          : 'the history is away: agents keep their records',
      );
    if (store === 'state') this.#server?.setServing(error === null && this.#lead !== null);
  }

  get #tokens(): Tokens {
    return { operator: this.#config.operator_token, service: this.#config.service_token };
  }

  #ledgerConnection(): ClientConnection {
    const { tls, audit_ledger_endpoint: address, service_token: token } = this.#config;
    if (!tls.enabled) return { address, tls: null, token };
    const files = { certFile: tls.cert_file, keyFile: tls.key_file, caFile: tls.ca_file };
    return { address, tls: { files, keyPrefix: `${SECTION}.tls`, serverName: tls.server_name }, token: '' };
  }

  #sayBackends(): void {
    const history = isClustered(this.#config) ? 'scylla.contact_points' : 'history.url';
    for (const key of ['database.postgres_url', history]) {
      const origin = this.#loaded.origin(key);
      this.#log.info({ setting: `${SECTION}.${key}`, backend: backendOf(key, this.#config), origin }, 'store selected');
    }
  }
}

function backendOf(key: string, config: CorrelationEngineConfig): string {
  if (key === 'scylla.contact_points') return 'scylla';
  return (key === 'history.url' ? config.history.url : config.database.postgres_url).split('://')[0] ?? '';
}
