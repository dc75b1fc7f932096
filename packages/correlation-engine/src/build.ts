import type { Tokens } from '@sentinel/service-kit/auth';
import { type Clock, systemClock } from '@sentinel/service-kit/clock';
import { type CorrelationEngineConfig, folderOf, type LoadedConfig } from '@sentinel/service-kit/config';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { ClientConnection } from '@sentinel/service-kit/grpc-client';
import type { GrpcServer } from '@sentinel/service-kit/grpc-server';
import { type ReadyInfo, type Service, StopStack } from '@sentinel/service-kit/lifecycle';
import type { Logger } from '@sentinel/service-kit/logging';
import { createRegistry } from '@sentinel/service-kit/metrics';
import { reloadConfig } from '@sentinel/service-kit/reload';
import { type Api, buildApi } from './api/api.js';
import { type HealthReport, routes } from './api/http/routes.js';
import {
  correlationService,
  probeControlService,
  probeService,
  quarantineService,
  trustService,
} from './api/services.js';
import { Committer, shuttingDown } from './commit/committer.js';
import { Outward } from './commit/outward.js';
import { Timers } from './commit/timers.js';
import type { Admission } from './control/handshake.js';
import { Sessions } from './control/sessions.js';
import { DirectiveLog } from './directive-log/directive-log.js';
import { News } from './directive-log/news.js';
import { Retention } from './directive-log/retention.js';
import { DirectiveStreams } from './directive-log/stream-directives.js';
import { observeGauges } from './events/gauges.js';
import type { Store } from './events/stores.js';
import { Events } from './events.js';
import { WINDOW_RECORDS } from './ingest/stream-results.js';
import { LedgerClient } from './outbox/ledger-client.js';
import { OutboxStore } from './outbox/outbox-store.js';
import { Relay } from './outbox/relay.js';
import { serve } from './serve.js';
import { admission, coreConfig, databaseOptions } from './settings.js';
import type { UnarchivedRow } from './store/commit-rows.js';
import { Database } from './store/connect.js';
import { Archiver } from './store/history/archiver.js';
import { FileHistory } from './store/history/file-history.js';
import type { HistoryStore } from './store/history/history-store.js';
import { StateStore } from './store/state-store.js';
import { LatestTelemetry } from './telemetry/latest.js';

const SECTION = 'correlation_engine';

export interface EngineOptions {
  readonly loaded: LoadedConfig<'correlation_engine'>;
  readonly log: Logger;
  /** Called when the engine can never go on. */
  readonly fatal: (error: unknown) => void;
  readonly clock?: Clock;
  /** Opens the history; the folder of `history.url` by default. */
  readonly openHistory?: () => Promise<HistoryStore>;
}

/** The composition root: builds every part by hand, starts them in the order of the data, stops them in reverse. */
export class Engine implements Service {
  readonly #options: EngineOptions;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #registry = createRegistry();
  readonly #events: Events;
  readonly #sessions = new Sessions();
  readonly #store: StateStore;
  readonly #committer: Committer;
  readonly #timers: Timers;
  readonly #relay: Relay;
  readonly #ledger: LedgerClient;
  readonly #telemetry = new LatestTelemetry();
  readonly #outward: Outward;
  readonly #news = new News();
  readonly #directives: DirectiveLog;
  readonly #retention: Retention;
  readonly #directiveStreams: DirectiveStreams;
  readonly #stopping = new StopStack();
  #archiver: Archiver | null = null;
  #loaded: LoadedConfig<'correlation_engine'>;
  #admission: Admission;
  #server: GrpcServer | null = null;
  readonly #troubles = new Map<string, string>();

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#loaded = options.loaded;
    this.#log = options.log;
    this.#clock = options.clock ?? systemClock;
    const config = this.#config;
    this.#admission = admission(config);
    this.#events = new Events(this.#log, this.#registry);
    this.#store = new StateStore(new Database(databaseOptions(config), this.#log), this.#log, () =>
      this.#committer.wake(),
    );
    this.#committer = new Committer(
      this.#store,
      this.#clock,
      coreConfig(config),
      {
        committed: (group, seconds) => {
          this.#events.committed(group, seconds, this.#committer.state);
          this.#outward.send(group);
        },
        refused: (item, error) => this.#events.itemRefused(item, error),
        storeChanged: (error) => this.#storeChanged('state', error),
        fatal: options.fatal,
      },
      () => this.#archiver?.risen() ?? [],
    );
    this.#timers = new Timers(this.#committer, this.#clock);
    this.#ledger = new LedgerClient(() => this.#ledgerConnection());
    this.#relay = new Relay(new OutboxStore(this.#store.db), this.#ledger.ingest, {
      changed: (error) => this.#events.storeChanged('ledger', error),
    });
    this.#outward = new Outward({
      committer: this.#committer,
      sessions: this.#sessions,
      telemetry: this.#telemetry,
      timers: this.#timers,
      relay: this.#relay,
      news: this.#news,
      archiver: () => this.#archiver,
    });
    this.#directives = new DirectiveLog(this.#store.db);
    this.#retention = new Retention(
      this.#directives,
      this.#clock,
      () => this.#config.directive_log.retention_days,
      (error) => this.#log.warn({ err: error }, 'old directives could not be given up; tried again in an hour'),
    );
    this.#directiveStreams = new DirectiveStreams({
      log: this.#log,
      directives: this.#directives,
      news: this.#news,
      clock: this.#clock,
      head: () => this.#committer.head.commitSeq,
      patienceMs: () => this.#config.directive_log.slow_consumer_seconds * 1000,
    });
  }

  get #config(): CorrelationEngineConfig {
    return this.#loaded.config;
  }

  async start(): Promise<ReadyInfo> {
    try {
      const archiver = await this.#openStores();
      const api = buildApi({
        committer: this.#committer,
        db: this.#store.db,
        clock: this.#clock,
        telemetry: this.#telemetry,
        history: () => archiver.store,
        outboxPending: () => this.#relay.pending,
      });
      this.#startDeciding(archiver);
      return await this.#serve(api, archiver);
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
      this.#submitConfig();
    } catch (error) {
      this.#log.error({ err: error }, 'the manifest of cohorts is refused; decisions keep the settings of before');
    }
  }

  async #openStores(): Promise<Archiver> {
    this.#sayBackends();
    this.#stopping.push('database', () => this.#store.close());
    const state = await this.#store.open();
    const config = coreConfig(this.#config);
    this.#committer.load(state, config);
    const openHistory =
      this.#options.openHistory ?? (() => FileHistory.open(folderOf(this.#config.history.url) ?? '', this.#log));
    const archiver = new Archiver(await openHistory(), openHistory, {
      archived: (mark) => {
        const session = this.#sessions.ofNode(mark.node);
        if (session?.mark === mark) session.uplink?.acknowledge();
      },
      behind: (mark) => {
        this.#events.leftOut('history');
        const session = this.#sessions.ofNode(mark.node);
        if (session?.mark === mark) session.end(historyBehind());
      },
      changed: (error) => this.#storeChanged('history', error),
    });
    this.#archiver = archiver;
    this.#stopping.push('history', () => archiver.stop());
    for (const mark of this.#committer.spools.all()) archiver.adopt(mark);
    return archiver;
  }

  #startDeciding(archiver: Archiver): void {
    this.#stopping.push('commits', () => this.#committer.stop());
    this.#stopping.push('timers', () => this.#timers.stop());
    this.#submitConfig();
    // Whoever was connected before this engine started is not connected to it.
    for (const { node, connected } of this.#committer.state.nodes.values())
      if (connected) this.#submit({ kind: 'node-left', node });
    this.#timers.schedule();
    this.#retention.start();
    this.#stopping.push('directive log', () => this.#retention.stop());
    this.#relay.start();
    this.#stopping.push('outbox', async () => {
      await this.#relay.stop();
      this.#ledger.close();
    });
    observeGauges(
      {
        state: () => this.#committer.state,
        nowUs: () => this.#committer.head.nowUs,
        connectedAgents: () => this.#sessions.size,
        waitingRecords: () => this.#committer.waiting,
        waitingHistoryBytes: () => archiver.waitingBytes,
        outboxPending: () => this.#relay.pending,
      },
      this.#registry,
      this.#config.metrics.per_gpu_series_max_gpus,
      WINDOW_RECORDS,
    );
  }

  async #serve(api: Api, archiver: Archiver): Promise<ReadyInfo> {
    const { ready, grpc } = await serve({
      loaded: this.#loaded,
      log: this.#log,
      registry: this.#registry,
      events: this.#events,
      stopping: this.#stopping,
      tokens: () => this.#tokens,
      handle: routes(
        api,
        () => this.#tokens,
        () => this.#health(),
      ),
      services: (mutualTls) => [
        probeService(this.#probeParts(archiver), mutualTls),
        correlationService(api, this.#log),
        quarantineService(api, this.#directiveStreams, this.#log),
        probeControlService(api, this.#log),
        trustService(api, this.#log),
      ],
    });
    this.#server = grpc;
    this.#stopping.push('directive streams', () => this.#directiveStreams.stop());
    this.#stopping.push('sessions', () => {
      for (const session of [...this.#sessions.all()]) session.end(shuttingDown());
    });
    return ready;
  }

  #probeParts(archiver: Archiver) {
    return {
      committer: this.#committer,
      archiver,
      sessions: this.#sessions,
      events: this.#events,
      clock: this.#clock,
      log: this.#log,
      admission: () => this.#admission,
      unarchived: (node: string, spoolId: string) => this.#unarchived(node, spoolId),
    };
  }

  #unarchived(node: string, spoolId: string): Promise<UnarchivedRow[]> {
    return this.#store.db
      .selectFrom('unarchived')
      .selectAll()
      .where('node', '=', node)
      .where('spool_id', '=', spoolId)
      .orderBy('first_sequence')
      .execute();
  }

  #health(): HealthReport {
    const of = (store: Store) => (this.#events.isUp(store) ? 'up' : 'away');
    return {
      reasons: [...this.#troubles.values()],
      stores: { state: of('state'), history: of('history'), ledger: of('ledger') },
      activeAgents: this.#sessions.size,
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
    if (store === 'state') this.#server?.setServing(error === null);
  }

  #submitConfig(): void {
    const config = coreConfig(this.#config);
    const known =
      this.#committer.head.commitSeq > 0 && JSON.stringify(this.#committer.state.config) === JSON.stringify(config);
    if (!known) this.#submit({ kind: 'config', config });
  }

  #submit(
    record: { kind: 'config'; config: ReturnType<typeof coreConfig> } | { kind: 'node-left'; node: string },
  ): void {
    const nothing = (): void => {};
    this.#committer.submit({ kind: 'own', record, committed: nothing, failed: nothing });
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
    for (const key of ['database.postgres_url', 'history.url']) {
      const origin = this.#loaded.origin(key);
      this.#log.info({ setting: `${SECTION}.${key}`, backend: backendOf(key, this.#config), origin }, 'store selected');
    }
  }
}

function backendOf(key: string, config: CorrelationEngineConfig): string {
  return (key === 'history.url' ? config.history.url : config.database.postgres_url).split('://')[0] ?? '';
}

function historyBehind(): SentinelError {
  return new SentinelError({
    code: 'UNAVAILABLE',
    reason: 'STORE_UNAVAILABLE',
    message: 'the history missed some records',
    retryAfterMs: 500,
    hint: 'Connect again and offer what is not archived.',
  });
}
