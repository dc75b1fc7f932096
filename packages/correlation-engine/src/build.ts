import { setTimeout as sleep } from 'node:timers/promises';
import type { Tokens } from '@sentinel/service-kit/auth';
import { type Clock, systemClock } from '@sentinel/service-kit/clock';
import type { CorrelationEngineConfig, LoadedConfig } from '@sentinel/service-kit/config';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { ClientConnection } from '@sentinel/service-kit/grpc-client';
import type { GrpcServer, ServiceEntry } from '@sentinel/service-kit/grpc-server';
import { type ReadyInfo, type Service, StopStack } from '@sentinel/service-kit/lifecycle';
import type { Logger } from '@sentinel/service-kit/logging';
import { createRegistry } from '@sentinel/service-kit/metrics';
import { reloadConfig } from '@sentinel/service-kit/reload';
import { untilThere } from '@sentinel/service-kit/until-there';
import {
  asksForEvents,
  asksForHealth,
  type HealthReport,
  type HttpAnswer,
  type HttpRequest,
  healthAnswer,
  routes,
  type StreamAnswer,
} from './api/http/routes.js';
import { starting } from './api/not-serving.js';
import { engineServices } from './api/services.js';
import type { Bus, BusEvents } from './bus/bus.js';
import { MemoryBus } from './bus/memory-bus.js';
import { RedisBus } from './bus/redis/redis-bus.js';
import { shuttingDown } from './commit/committer.js';
import { Condition } from './condition.js';
import { configuredBy } from './configured-by.js';
import type { Admission } from './control/handshake.js';
import { type ConfiguredBy, type CoreConfig, emptyState } from './core.js';
import { observeGauges } from './events/gauges.js';
import { Events } from './events.js';
import { WINDOW_RECORDS } from './ingest/stream-results.js';
import { Lead } from './lead.js';
import { EventStreams } from './live/event-streams.js';
import { StoredLiveLog } from './live/live-log.js';
import { noLeader, notLeading } from './replica/no-leader.js';
import { Replica, SUPERSEDED } from './replica/replica.js';
import { liveTokens, serve } from './serve.js';
import { admission, coreConfig, databaseOptions, isReplicated } from './settings.js';
import { Database, type Timeouts } from './store/connect.js';
import { AwayHistory } from './store/history/away-history.js';
import type { HistoryStore } from './store/history/history-store.js';
import { checkHistory, isClustered, openHistory } from './store/history/open.js';
import type { LoadedState } from './store/loaded-state.js';
import { StateStore, SupersededError } from './store/state-store.js';

const SECTION = 'correlation_engine';
/** How long a hand-over waits for the history. */
const HISTORY_PATIENCE_MS = 300;
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
  /** Of each connection to the database. */
  readonly timeouts?: Timeouts;
  /** Payload of all agents that may wait for its commit. */
  readonly waitingBytes?: number;
}

/** The composition root: builds every part by hand, starts them in the order of the data, stops them in reverse. */
export class Engine implements Service {
  readonly #options: EngineOptions;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #registry = createRegistry();
  readonly #events: Events;
  readonly #database: Database;
  readonly #store: StateStore;
  /** null = the only engine of its database. */
  readonly #replica: Replica | null;
  readonly #services: readonly ServiceEntry[];
  readonly #stopping = new StopStack();
  readonly #condition: Condition;
  #loaded: LoadedConfig<'correlation_engine'>;
  #configuredBy: ConfiguredBy;
  #admission: Admission;
  /** What decisions depend on, as it was last accepted. */
  #core: CoreConfig;
  #server: GrpcServer | null = null;
  #bus: Bus;
  #eventStreams: EventStreams | null = null;
  /** null = another replica decides, or none. */
  #lead: Lead | null = null;
  #handle: ((request: HttpRequest) => Promise<HttpAnswer>) | null = null;
  /** Leads that were lost touch the store no more, and are over. */
  #retired: Promise<void> = Promise.resolve();
  #ending: Promise<void> = Promise.resolve();

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#loaded = options.loaded;
    this.#configuredBy = configuredBy(filesOf(options.loaded), null);
    this.#log = options.log;
    this.#clock = options.clock ?? systemClock;
    this.#admission = admission(this.#config);
    this.#core = this.#acceptedCore();
    this.#events = new Events(this.#log, this.#registry);
    this.#condition = new Condition(this.#events);
    this.#database = new Database(databaseOptions(this.#config), this.#log, options.timeouts);
    this.#store = new StateStore(this.#database, this.#log, () => this.#lead?.committer.wake());
    const { tls } = this.#config;
    const replicated = isReplicated(this.#config);
    this.#services = engineServices({
      serving: () => this.#lead,
      absent: replicated ? noLeader : starting,
      mutualTls: tls.enabled && tls.mutual_tls,
      log: this.#log,
    });
    this.#replica = replicated ? this.#buildReplica(this.#database) : null;
    this.#bus = new MemoryBus(this.#busEvents());
    if (!replicated) this.#events.storeChanged('bus', null);
  }

  get #config(): CorrelationEngineConfig {
    return this.#loaded.config;
  }

  /**
   * Its ports are open while it waits for the database, and /health says so.
   * @param stopping ends the waiting
   */
  async start(stopping?: AbortSignal): Promise<ReadyInfo> {
    try {
      this.#sayBackends();
      this.#stopping.push('database', () => this.#store.close());
      this.#stopping.push('bus', () => this.#bus.stop());
      this.#stopping.push('history and outbox', async () => {
        await Promise.all([this.#lead?.stop(), this.#ending]);
      });
      this.#observe();
      const ready = await this.#serve();
      if (this.#replica === null)
        this.#decide(await this.#untilThere(() => this.#store.open(), stopping), await this.#openHistory());
      else await this.#untilThere(() => this.#store.prepare(), stopping);
      this.#storeChanged('state', null);
      if (this.#replica !== null) await checkHistory(this.#config);
      await this.#untilThere(() => this.#openLive(), stopping);
      this.#showServing();
      await this.#replica?.start({
        services: this.#services,
        http: (request) => this.#answer(request),
        decides: () => this.#lead !== null && this.#condition.isStateUp,
        tokens: liveTokens(() => this.#tokens),
        onRefused: (error) => this.#events.refused('replica', error),
      });
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
    this.#configuredBy = configuredBy(filesOf(this.#loaded), this.#configuredBy);
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

  #busEvents(): BusEvents {
    return {
      changed: (error) => this.#events.storeChanged('bus', error),
      dropped: (what, count) => this.#events.busDropped(what, count),
    };
  }

  /** Live updates, once the database is there: it names the fleet. */
  async #openLive(): Promise<void> {
    const log = await StoredLiveLog.open(this.#store.db);
    if (this.#replica !== null) this.#bus = this.#openRedis(log.fleet);
    this.#eventStreams = new EventStreams(this.#bus, log, { ended: (why) => this.#events.eventStreamEnded(why) });
  }

  /** One engine writes at a time, so all of them write as one. */
  #openRedis(fleet: string): Bus {
    const { url, ca_file: caFile, pool_size: poolSize } = this.#config.redis;
    return new RedisBus({ url, caFile, poolSize, fleet, writer: 'leader' }, this.#busEvents());
  }

  #buildReplica(database: Database): Replica {
    return new Replica({
      loaded: () => this.#loaded,
      log: this.#log,
      store: this.#store,
      lease: database.lease((error) => this.#log.debug({ err: error }, 'the lease lost its connection')),
      idle: () => this.#retired,
      decide: async (state) => {
        this.#decide(state, await this.#historyAtOnce());
        this.#server?.handleBy(this.#services);
        this.#showServing();
      },
      deposed: (why) => this.#yield(why),
      storeChanged: (error) => this.#storeChanged('state', error),
      nowUs: () => Number(this.#clock.nowUs()),
      clockChanged: (trouble) => this.#condition.clockChanged(trouble),
      changed: () => this.#showServing(),
    });
  }

  #decide(state: LoadedState, history: HistoryStore): void {
    const lead: Lead = new Lead(
      {
        config: () => this.#config,
        coreConfig: () => this.#core,
        configuredBy: () => this.#configuredBy,
        admission: () => this.#admission,
        log: this.#log,
        clock: this.#clock,
        events: this.#events,
        store: this.#store,
        bus: this.#bus,
        shared: this.#replica !== null,
        openHistory: () => this.#openHistory(),
        waitingBytes: this.#options.waitingBytes,
        ledger: () => this.#ledgerConnection(),
        storeChanged: (store, error) => {
          if (this.#lead === lead) this.#storeChanged(store, error);
        },
        fatal: (error) => (error instanceof SupersededError ? this.#yield(SUPERSEDED) : this.#options.fatal(error)),
      },
      history,
      state,
    );
    this.#lead = lead;
    this.#handle = routes(lead.api, () => this.#tokens);
    lead.start();
  }

  /** Another replica decides, or may: nothing that this one still does can be committed. */
  #yield(why: string): void {
    const lead = this.#lead;
    if (lead === null) return;
    this.#lead = null;
    this.#handle = null;
    this.#condition.decidesNoMore();
    this.#log.warn(`this replica does not decide any more: ${why}`);
    lead.endStreams(notLeading());
    this.#retired = this.#retire(lead);
    if (this.#replica === null) return;
    this.#server?.handleBy(this.#replica.carrier.services(this.#services));
    this.#replica.yield();
    this.#showServing();
  }

  /** Resolves once it touches the store no more; what else it does takes its time. */
  async #retire(lead: Lead): Promise<void> {
    const decided = lead.stopDeciding();
    this.#ending = Promise.all([this.#ending, lead.stop()]).then(
      () => {},
      (error: unknown) => this.#log.error({ err: error }, 'what this replica led did not end well'),
    );
    await this.#store.release();
    await decided;
  }

  /** An embedded database that does not start is not waited for: it is this engine that starts it. */
  #untilThere<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    if (!this.#database.isServer) return work();
    return untilThere(work, {
      explain: (failure) => this.#database.explain(failure),
      heard: (error) => this.#storeChanged('state', error),
      signal,
    });
  }

  #openHistory(): Promise<HistoryStore> {
    return this.#options.openHistory?.() ?? openHistory(this.#config, this.#log);
  }

  /** A hand-over waits for no history: one that is not open at once is opened beside the decisions, by whoever archives. */
  async #historyAtOnce(): Promise<HistoryStore> {
    const opening = this.#openHistory();
    try {
      return await Promise.race([opening, sleep(HISTORY_PATIENCE_MS, null, { ref: false }).then(notOpen)]);
    } catch (error) {
      this.#storeChanged('history', error);
      opening.then((late) => late.close()).catch(() => {});
      return new AwayHistory(error);
    }
  }

  #observe(): void {
    const nothing = emptyState(this.#core);
    observeGauges(
      {
        state: () => this.#lead?.committer.state ?? nothing,
        nowUs: () => this.#lead?.committer.head.nowUs ?? 0,
        connectedAgents: () => this.#connectedAgents,
        decides: () => this.#lead !== null,
        serves: () => !this.#leaderAway,
        carriedCalls: () => this.#replica?.carrier.calls ?? 0,
        clockAheadSeconds: () => (this.#replica?.clockAheadMs ?? 0) / 1000,
        waitingRecords: () => this.#lead?.committer.waiting ?? 0,
        mayWaitRecords: () => Math.max(WINDOW_RECORDS, this.#lead?.mayWaitRecords ?? 0),
        waitingHistoryBytes: () => this.#lead?.waitingHistoryBytes ?? 0,
        outboxPending: () => this.#lead?.outboxPending ?? 0,
        outboxLagSeconds: () => this.#lead?.outboxLagSeconds ?? 0,
        isConnected: (node) => this.#lead?.sessions.ofNode(node) !== undefined,
        sensor: (gpu, field) => this.#lead?.telemetry.value(gpu, field),
        eventStreams: () => this.#eventStreams?.size ?? 0,
      },
      this.#registry,
      this.#config.metrics.per_gpu_series_max_gpus,
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
      handle: (request) => this.#answerHere(request),
      services: this.#replica?.carrier.services(this.#services) ?? this.#services,
    });
    this.#server = grpc;
    this.#showServing();
    this.#stopping.push('replica', () => this.#replica?.close());
    this.#stopping.push('decisions', () => this.#stopDeciding());
    this.#stopping.push('events', () => this.#eventStreams?.stop());
    this.#stopping.push('streams', () => this.#endStreams(shuttingDown()));
    return ready;
  }

  async #answerHere(request: HttpRequest): Promise<HttpAnswer | StreamAnswer> {
    if (asksForHealth(request)) return healthAnswer(this.#health());
    if (asksForEvents(request)) return this.#follow(request.lastEventId);
    if (this.#lead === null && this.#replica !== null) return this.#replica.carrier.http(request);
    return this.#answer(request);
  }

  #follow(lastEventId: string): StreamAnswer {
    if (this.#eventStreams === null) throw this.#replica === null ? starting() : noLeader();
    return { stream: this.#eventStreams.open(lastEventId) };
  }

  async #answer(request: HttpRequest): Promise<HttpAnswer> {
    if (this.#handle === null) throw this.#replica === null ? starting() : noLeader();
    return this.#handle(request);
  }

  #endStreams(error: SentinelError): void {
    this.#lead?.endStreams(error);
    this.#replica?.carrier.end(error);
  }

  /** Before anything that takes longer: another replica waits for it. */
  async #stopDeciding(): Promise<void> {
    await this.#replica?.stopSeeking();
    await this.#lead?.stopDeciding();
    await this.#replica?.release();
  }

  /** Those that are connected to this replica, whoever decides about them. */
  get #connectedAgents(): number {
    return this.#lead?.sessions.here ?? this.#replica?.carrier.agents ?? 0;
  }

  /** This engine does not decide, nor does it reach a replica that does. */
  get #leaderAway(): boolean {
    return this.#lead === null && this.#replica?.carrier.reachable !== true;
  }

  #showServing(): void {
    this.#server?.setServing(this.#condition.isStateUp && !this.#leaderAway);
  }

  #health(): HealthReport {
    return this.#condition.report({
      leaderAway: this.#leaderAway,
      activeAgents: this.#connectedAgents,
      replica: this.#replica && { name: this.#replica.id, decides: this.#lead !== null, leader: this.#replica.leader },
    });
  }

  #storeChanged(store: 'state' | 'history', failure: unknown): void {
    this.#condition.storeChanged(
      store,
      failure !== null && store === 'state' ? this.#database.explain(failure) : failure,
    );
    if (store === 'state') this.#showServing();
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
    for (const key of ['database.postgres_url', history, 'redis.url'] as const) {
      const origin = this.#loaded.origin(key);
      this.#log.info({ setting: `${SECTION}.${key}`, backend: backendOf(key, this.#config), origin }, 'store selected');
    }
  }
}

function notOpen(): never {
  throw new SentinelError({
    code: 'UNAVAILABLE',
    reason: 'STORE_UNAVAILABLE',
    message: `the history did not open within ${HISTORY_PATIENCE_MS} ms`,
    hint: 'Decisions go on, and it is opened meanwhile.',
  });
}

/** Which implementation the setting selects. */
function backendOf(
  key: 'database.postgres_url' | 'history.url' | 'scylla.contact_points' | 'redis.url',
  { database, history, redis }: CorrelationEngineConfig,
): string {
  if (key === 'scylla.contact_points') return 'scylla';
  const urls = { 'database.postgres_url': database.postgres_url, 'history.url': history.url, 'redis.url': redis.url };
  return urls[key].split('://')[0] ?? '';
}

/** Whatever decides by its content. */
function filesOf({ files, config }: LoadedConfig<'correlation_engine'>): string[] {
  const { file } = config.cohort_manifest;
  return file === '' ? [...files] : [...files, file];
}
