import { join } from 'node:path';
import { Inbox } from '@sentinel/monitor-kit/ingest/inbox';
import { freeSocket, openSocketTo } from '@sentinel/monitor-kit/ingest/socket';
import { connectToEngine, listenForMetrics } from '@sentinel/monitor-kit/monitor-shell';
import type { SettableThresholds } from '@sentinel/monitor-kit/thresholds';
import { type Clock, systemClock } from '@sentinel/service-kit/clock';
import type { InferenceMonitorConfig, InferenceThresholds, LoadedConfig } from '@sentinel/service-kit/config';
import { startGrpcServer } from '@sentinel/service-kit/grpc-server';
import { type ReadyInfo, type Service, StopStack } from '@sentinel/service-kit/lifecycle';
import type { Logger } from '@sentinel/service-kit/logging';
import { reloadConfig } from '@sentinel/service-kit/reload';
import { beginFront } from './front/begin-front.js';
import type { FrontSupervisor } from './front/supervise.js';
import { Models } from './grouping/models.js';
import { isInside, type Server } from './grouping/server.js';
import { InferenceService } from './ingest/inference-service.js';
import type { InferenceRecord } from './ingest/record.js';
import { MonitorMetrics } from './observing/metrics.js';
import { ReferenceStore } from './references/reference-store.js';
import { beginReplicas } from './replicas/begin-replicas.js';
import type { Replicas } from './replicas/replicas.js';
import { Devices } from './report/devices.js';
import { Reporter } from './report/reporter.js';
import { samplingRateOf, thresholdsOf, withUsablePlaces } from './settings.js';

/** As it signs its anomalies. */
const MONITOR = 'inference-monitor';

/** Name in the configuration. */
const SOCKET_KEY = 'inference_monitor.socket_path';

/** Largest record: an answer of 65,536 tokens with the request that it is of. */
const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;

const TICK_MS = 1_000;

export type Loaded = LoadedConfig<'inference_monitor'>;

export interface MonitorParts {
  readonly loaded: Loaded;
  readonly thresholds: SettableThresholds<InferenceThresholds>;
  readonly log: Logger;
  readonly fatal: (error: unknown) => void;
  readonly clock?: Clock;
}

interface State {
  loaded: Loaded;
  /** Of what was loaded, with places that can be written. */
  config: InferenceMonitorConfig;
  /** To be called when the configuration is another one. */
  reloaded: () => void;
}

/** Composition root. */
export function buildMonitor(parts: MonitorParts): Service {
  const { loaded, thresholds, log } = parts;
  const stack = new StopStack();
  const state: State = { loaded, config: withUsablePlaces(loaded.config, log), reloaded: () => {} };
  return {
    start: () => start(parts, stack, state),
    stop: () => stack.stop(),
    reload: () => {
      let changed = false;
      const next = reloadConfig(state.loaded, log, ({ config }) => {
        changed = thresholds.set(thresholdsOf(config));
      });
      const { data_dir, socket_path } = state.config;
      state.loaded = next;
      state.config = { ...next.config, data_dir, socket_path };
      state.reloaded();
      if (changed) log.info({ file: next.config.thresholds_file }, 'limits changed');
    },
  };
}

async function start(parts: MonitorParts, stack: StopStack, state: State): Promise<ReadyInfo> {
  const { thresholds, log, fatal, clock = systemClock } = parts;
  const config = () => state.config;
  const { node_name: node, socket_path: socket, data_dir } = config();
  const nowUs = () => Number(clock.nowUs());
  const inbox = new Inbox((error) => log.error({ err: error }, 'an analyser failed on a record'));
  const references = new ReferenceStore(join(data_dir, node, 'references'), log);
  const models: Models = new Models({
    limits: thresholds.current,
    restore: (key) => references.load(key),
    onFinding: (server, finding) => reporter.take(server, finding),
  });
  thresholds.onChange((changed) => models.retune(changed));
  let front: FrontSupervisor | null = null;
  let replicas: Replicas | null = null;
  const metrics = new MonitorMetrics({
    node,
    models: () => models.size,
    senders: () => service.senders.length,
    queueDropped: () => inbox.dropped,
    blocks: () => models.counts,
    front: () => front,
    connected: () => engine.connected(),
    spoolRecords: () => engine.spool.records,
    spoolBytes: () => engine.spool.bytes,
  });
  const batch = () => ({ events: config().batch_size, flushMs: config().batch_flush_interval_ms });
  const shell = { monitor: MONITOR, config, counts: metrics.uplink, stack, log, fatal, batch, clock };
  const engine = await connectToEngine(shell);
  const devices = new Devices(config);
  const reporter = new Reporter({
    devices,
    outbox: engine.outbox,
    onFinding: (finding) => metrics.uplink.finding(finding),
    onNotSent: (reason, events) => metrics.uplink.notSent(reason, events),
    nowUs: () => clock.nowUs(),
    log,
  });
  const keep = () => {
    for (const { key, state: learnt } of models.changes()) references.save(key, learnt);
  };
  stack.push('references', keep);
  const service = new InferenceService({
    inbox,
    samplingRate: () => samplingRateOf(config()),
    onRecord: (server, record) => {
      metrics.record(record);
      analyse(models, server, record, nowUs());
      if (replicas !== null) compare(replicas, record);
    },
    onSeen: (requests, dropped) => {
      metrics.seen(requests, dropped);
      replicas?.served(requests);
    },
    onRefused: (error) => {
      metrics.refused();
      log.warn({ field: error.field }, `a sender was refused: ${error.sentence}`);
    },
    log,
  });
  state.reloaded = () => service.resample();
  const listening = await listenForMetrics(shell, metrics.registry);
  const others = await beginReplicas({
    ...{
      config,
      devices,
      stack,
      log,
      clock,
      registry: metrics.registry,
      blocks: models,
      insecure: state.loaded.insecure,
    },
    library: () => service.senders.findLast(({ server }) => isInside(server))?.server,
    onFinding: (server, finding) => reporter.take(server, finding),
  });
  replicas = others?.replicas ?? null;
  await listen(service, { socket, mode: config().socket_mode, stack, inbox, metrics, log });
  const timer = setInterval(() => {
    models.tick(nowUs());
    keep();
  }, TICK_MS);
  stack.push('timer', () => clearInterval(timer));
  front = await beginFront(shell);
  log.info({ node, socket, thresholds: config().thresholds_file }, 'analysing');
  return {
    grpc: `unix:${socket}`,
    ...(listening === null ? {} : { metrics: listening }),
    ...(front === null ? {} : { http: front.address }),
    ...(others?.address ? { replicas: others.address } : {}),
  };
}

/** A server's clock may be wrong: what it cannot have said is of now. */
function analyse(models: Models, server: Server, record: InferenceRecord, nowUs: number): void {
  if (record.kind === 'sample') {
    const { sample } = record;
    const timeUs = Math.abs(nowUs - sample.timeUs) > MAX_SKEW_US ? nowUs : Math.min(nowUs, sample.timeUs);
    models.take(server, { ...sample, timeUs });
  } else if (record.kind === 'weights') models.weights(server, record.weights);
}

function compare(replicas: Replicas, record: InferenceRecord): void {
  if (record.kind === 'weights') replicas.weights(record.weights);
  else if (record.kind === 'sample' && record.replay !== undefined) replicas.sampled(record.sample, record.replay);
}

const MAX_SKEW_US = 600_000_000;

interface Listening {
  readonly socket: string;
  readonly mode: string;
  readonly stack: StopStack;
  readonly inbox: Inbox;
  readonly metrics: MonitorMetrics;
  readonly log: Logger;
}

async function listen(service: InferenceService, parts: Listening): Promise<void> {
  const { socket, mode, stack, inbox, metrics, log } = parts;
  await freeSocket(socket, SOCKET_KEY);
  const server = await startGrpcServer({
    address: `unix:${socket}`,
    addressKey: SOCKET_KEY,
    tls: null,
    insecure: false,
    tokens: { operator: '', service: '' },
    services: [service.entry()],
    maxMessageBytes: MAX_MESSAGE_BYTES,
    onRefused: () => metrics.refused(),
    log,
  });
  openSocketTo(socket, mode);
  stack.push('socket', async () => {
    service.close();
    await server.stop();
    await inbox.idle();
  });
}
