import type { Clock } from '@sentinel/service-kit/clock';
import type { CorrelationEngineConfig } from '@sentinel/service-kit/config';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { ClientConnection } from '@sentinel/service-kit/grpc-client';
import type { Logger } from '@sentinel/service-kit/logging';
import { type Api, buildApi } from './api/api.js';
import { submitFleetOrder } from './api/incidents.js';
import type { Serving } from './api/services.js';
import type { Bus } from './bus/bus.js';
import { cachedState } from './bus/cached-state.js';
import { StateCache } from './bus/state-cache.js';
import { Committer } from './commit/committer.js';
import { baseItem } from './commit/item.js';
import { Outward } from './commit/outward.js';
import { Timers } from './commit/timers.js';
import { agentControl } from './control/agent-control.js';
import type { Admission } from './control/handshake.js';
import { Sessions } from './control/sessions.js';
import type { ConfigRecord, ConfiguredBy, CoreConfig } from './core.js';
import { DirectiveLog } from './directive-log/directive-log.js';
import { News } from './directive-log/news.js';
import { DirectiveStreams } from './directive-log/stream-directives.js';
import type { Events } from './events.js';
import { AnomalyStreams, MONITOR_WINDOW_RECORDS } from './ingest/stream-anomalies.js';
import { streamProbeResults, WINDOW_RECORDS } from './ingest/stream-results.js';
import { WaitingRoom } from './ingest/waiting-room.js';
import { LedgerClient } from './outbox/ledger-client.js';
import { OutboxStore } from './outbox/outbox-store.js';
import { Relay } from './outbox/relay.js';
import type { UnarchivedRow } from './store/commit-rows.js';
import { Archiver } from './store/history/archiver.js';
import type { HistoryStore } from './store/history/history-store.js';
import type { LoadedState } from './store/loaded-state.js';
import { Retention } from './store/retention/retention.js';
import type { StateStore } from './store/state-store.js';
import { LatestTelemetry } from './telemetry/latest.js';

export interface LeadParts {
  /** As it is now. */
  readonly config: () => CorrelationEngineConfig;
  /** What decisions depend on, as it was last accepted. */
  readonly coreConfig: () => CoreConfig;
  readonly configuredBy: () => ConfiguredBy;
  readonly admission: () => Admission;
  readonly log: Logger;
  readonly clock: Clock;
  readonly events: Events;
  readonly store: StateStore;
  readonly bus: Bus;
  /** Others read the states from the bus. */
  readonly shared: boolean;
  readonly openHistory: () => Promise<HistoryStore>;
  readonly waitingBytes: number | undefined;
  readonly ledger: () => ClientConnection;
  readonly storeChanged: (store: 'state' | 'history', error: unknown) => void;
  /** It can never go on. */
  readonly fatal: (error: unknown) => void;
}

/**
 * All that an engine runs while it decides: state, commits, timers, archiver, outbox, and whatever answers calls from the state. Made
 * anew each time that it takes the lead.
 */
export class Lead implements Serving {
  readonly committer: Committer;
  readonly sessions = new Sessions();
  readonly telemetry = new LatestTelemetry();
  readonly api: Api;
  readonly agentControl: Serving['agentControl'];
  readonly streamProbeResults: Serving['streamProbeResults'];
  readonly #parts: LeadParts;
  readonly #archiver: Archiver;
  readonly #timers: Timers;
  readonly #relay: Relay;
  readonly #ledger: LedgerClient;
  readonly #retention: Retention;
  /** null = no other engine asks for the states. */
  readonly #cache: StateCache | null;
  readonly #directiveStreams: DirectiveStreams;
  readonly #anomalyStreams: AnomalyStreams;
  /** The newest settings that are committed or wait for it; null = those of the state. */
  #submitted: string | null = null;

  /** @param state as the store has it */
  constructor(parts: LeadParts, history: HistoryStore, state: LoadedState) {
    this.#parts = parts;
    const { clock, store, log, events } = parts;
    const news = new News();
    const { telemetry } = this;
    this.#archiver = this.#buildArchiver(history);
    this.committer = this.#buildCommitter(() => outward);
    this.#timers = new Timers(this.committer, clock);
    this.#ledger = new LedgerClient(parts.ledger);
    const outbox = new OutboxStore(store.db, () => store.epoch);
    this.#relay = new Relay(outbox, this.#ledger, {
      changed: (error) => events.storeChanged('ledger', error),
      inconsistent: (error) => events.ledgerInconsistent(error),
    });
    this.#cache = parts.shared ? this.#buildCache() : null;
    const outward = new Outward({
      committer: this.committer,
      sessions: this.sessions,
      telemetry,
      timers: this.#timers,
      relay: this.#relay,
      news,
      archiver: this.#archiver,
      cache: this.#cache,
      bus: parts.bus,
    });
    const directives = new DirectiveLog(store.db);
    this.#retention = this.#buildRetention(directives);
    this.#directiveStreams = new DirectiveStreams({
      log,
      directives,
      news,
      clock,
      head: () => this.committer.head.commitSeq,
      patienceMs: () => parts.config().directive_log.slow_consumer_seconds * 1000,
    });
    this.api = buildApi({
      committer: this.committer,
      db: store.db,
      clock,
      telemetry,
      history: () => this.#archiver.store,
      outboxPending: () => this.#relay.pending,
      rollback: {
        store: outbox,
        ledger: this.#ledger,
        relay: this.#relay,
        commit: (record) => submitFleetOrder(this.committer, record),
      },
    });
    const probes = {
      committer: this.committer,
      archiver: this.#archiver,
      sessions: this.sessions,
      events,
      clock,
      log,
      admission: parts.admission,
      unarchived: (node: string, spoolId: string) => this.#unarchived(node, spoolId),
    };
    this.agentControl = agentControl(probes);
    const room = new WaitingRoom(parts.waitingBytes);
    this.streamProbeResults = streamProbeResults({ ...probes, room });
    this.#anomalyStreams = new AnomalyStreams({ ...probes, room });
    this.committer.load(state, parts.coreConfig());
    for (const mark of this.committer.spools.all()) this.#archiver.adopt(mark);
  }

  #buildCommitter(outward: () => Outward): Committer {
    const { store, clock, events, storeChanged, fatal } = this.#parts;
    return new Committer(
      store,
      clock,
      this.#parts.coreConfig(),
      {
        committed: (group, seconds) => {
          events.committed(group, seconds, this.committer.state);
          outward().send(group);
        },
        refused: (item, error) => events.itemRefused(item, error),
        storeChanged: (error) => storeChanged('state', error),
        fatal,
      },
      () => this.#archiver.risen(),
    );
  }

  #buildRetention(directives: DirectiveLog): Retention {
    const { config, store, clock, events, log } = this.#parts;
    return new Retention({
      db: store.db,
      clock,
      days: () => {
        const { database, directive_log } = config();
        const { log_days, observations_days, transitions_days } = database.retention;
        return {
          log: log_days,
          observations: observations_days,
          transitions: transitions_days,
          directives: directive_log.retention_days,
        };
      },
      pruneDirectives: (beforeUs, limit) => directives.prune(beforeUs, limit),
      keepBase: () => this.committer.submit(baseItem()),
      pruned: (what, rows) => events.pruned(what, rows),
      failed: (error) => log.warn({ err: error }, 'what is old could not be given up; tried again in an hour'),
    });
  }

  #buildArchiver(history: HistoryStore): Archiver {
    const { openHistory, events, storeChanged } = this.#parts;
    return new Archiver(history, openHistory, {
      archived: (mark) => {
        const session = this.sessions.ofNode(mark.node);
        if (session?.mark === mark) session.uplink?.acknowledge();
      },
      risen: () => this.committer.wake(),
      behind: (mark) => {
        events.leftOut('history');
        const session = this.sessions.ofNode(mark.node);
        if (session?.mark === mark) session.end(historyBehind());
      },
      changed: (error) => storeChanged('history', error),
    });
  }

  #buildCache(): StateCache {
    const { bus, events } = this.#parts;
    const { committer } = this;
    const source = {
      commitSeq: () => committer.head.commitSeq,
      ids: () => committer.state.devices.keys(),
      has: (id: string) => committer.state.devices.has(id),
      json: (id: string) => {
        const cached = cachedState(committer.state, id, committer.head.nowUs);
        return cached === null ? null : JSON.stringify(cached);
      },
    };
    return new StateCache(bus, source, { rewritten: (devices) => events.cacheRewritten(devices) });
  }

  /** From here on it decides. */
  start(): void {
    this.committer.wake();
    this.submitConfig();
    // Whoever was connected before this engine took the lead is not connected to it.
    for (const { node, connected } of this.committer.state.nodes.values())
      if (connected) this.#submit({ kind: 'node-left', node });
    this.#archiver.watch();
    this.#timers.schedule();
    this.#retention.start();
    this.#relay.start();
    this.#cache?.start();
  }

  /** Ends what is connected: agents, monitors and orchestrators come back to whoever leads then. */
  endStreams(error: SentinelError): void {
    for (const session of [...this.sessions.all()]) session.end(error);
    this.#directiveStreams.stop(error);
    this.#anomalyStreams.stop(error);
  }

  /** Commits what waits, if the store is there. Afterwards another engine may take the lead. */
  async stopDeciding(): Promise<void> {
    this.#timers.stop();
    await this.committer.stop();
  }

  /** Ends everything else; what another leader does meanwhile does no harm. */
  async stop(): Promise<void> {
    await this.stopDeciding();
    await Promise.all([this.#relay.stop(), this.#retention.stop(), this.#archiver.stop(), this.#cache?.stop()]);
    this.#ledger.close();
  }

  submitConfig(): void {
    const config = this.#parts.coreConfig();
    const { head, state } = this.committer;
    const wanted = JSON.stringify(config);
    const newest = this.#submitted ?? (head.commitSeq > 0 ? JSON.stringify(state.config) : null);
    if (newest === wanted) return;
    this.#submitted = wanted;
    const failed = (error: SentinelError): void => {
      if (this.#submitted === wanted) this.#submitted = null;
      this.#parts.log.error({ err: error }, 'the settings were not taken on: reload them (SIGHUP) once more');
    };
    this.#submit({ kind: 'config', config, by: this.#parts.configuredBy() }, failed);
  }

  #submit(
    record: ConfigRecord | { kind: 'node-left'; node: string },
    failed: (error: SentinelError) => void = () => {},
  ): void {
    this.committer.submit({ kind: 'own', record, committed: () => {}, failed });
  }

  get streamDirectives(): Serving['streamDirectives'] {
    return this.#directiveStreams.handle;
  }

  get streamAnomalyEvents(): Serving['streamAnomalyEvents'] {
    return this.#anomalyStreams.handle;
  }

  /** Records of spools that may wait for their commit. */
  get mayWaitRecords(): number {
    return WINDOW_RECORDS * this.sessions.size + MONITOR_WINDOW_RECORDS * this.#anomalyStreams.size;
  }

  get waitingHistoryBytes(): number {
    return this.#archiver.waitingBytes;
  }

  get outboxPending(): number {
    return this.#relay.pending;
  }

  get outboxLagSeconds(): number {
    return this.#relay.lagSeconds(Number(this.#parts.clock.nowUs()));
  }

  #unarchived(node: string, spoolId: string): Promise<UnarchivedRow[]> {
    return this.#parts.store.db
      .selectFrom('unarchived')
      .selectAll()
      .where('node', '=', node)
      .where('spool_id', '=', spoolId)
      .orderBy('first_sequence')
      .execute();
  }
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
