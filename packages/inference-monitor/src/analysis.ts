import { join } from 'node:path';
import { Inbox } from '@sentinel/monitor-kit/ingest/inbox';
import { serveSocket } from '@sentinel/monitor-kit/ingest/serve-socket';
import { connectToEngine, listenForMetrics } from '@sentinel/monitor-kit/monitor-shell';
import type { Clock } from '@sentinel/service-kit/clock';
import type { InferenceMonitorConfig, InferenceThresholds } from '@sentinel/service-kit/config';
import type { ReadyInfo, StopStack } from '@sentinel/service-kit/lifecycle';
import type { Logger } from '@sentinel/service-kit/logging';
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
import { samplingRateOf } from './settings.js';

/** As it signs its anomalies. */
const MONITOR = 'inference-monitor';

/** Name in the configuration. */
export const SOCKET_KEY = 'inference_monitor.socket_path';

/** Largest record: an answer of 65,536 tokens with the request that it is of. */
const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;

const TICK_MS = 1_000;

/** Of a server's clock, beyond which it is not believed. */
const MAX_SKEW_US = 600_000_000;

export interface AnalysisParts {
  readonly config: () => InferenceMonitorConfig;
  readonly limits: InferenceThresholds;
  /** Null where no traffic passes. */
  readonly front: () => FrontSupervisor | null;
  readonly insecure: boolean;
  /** Ends what was begun, also where the rest could not be. */
  readonly stack: StopStack;
  readonly log: Logger;
  /** It cannot go on. */
  readonly fatal: (error: unknown) => void;
  readonly clock: Clock;
}

export interface Analysis {
  readonly ready: ReadyInfo;
  retune(limits: InferenceThresholds): void;
  /** Tells senders how many requests to sample. */
  resample(): void;
}

/** Everything but the way of requests. @returns where it listens @throws what has to be mended before */
export async function beginAnalysis(parts: AnalysisParts): Promise<Analysis> {
  const { config, limits, front, insecure, stack, log, fatal, clock } = parts;
  const { node_name: node, socket_path: socket, data_dir } = config();
  const nowUs = () => Number(clock.nowUs());
  const inbox = new Inbox((error) => log.error({ err: error }, 'an analyser failed on a record'));
  const references = new ReferenceStore(join(data_dir, node, 'references'), log);
  const models: Models = new Models({
    limits,
    restore: (key) => references.load(key),
    onFinding: (server, finding) => reporter.take(server, finding),
  });
  let replicas: Replicas | null = null;
  const metrics = new MonitorMetrics({
    node,
    models: () => models.size,
    senders: () => service.senders.length,
    queueDropped: () => inbox.dropped,
    blocks: () => models.counts,
    front,
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
    onCounted: (counted) => {
      metrics.counted(counted);
      replicas?.served(counted.seen);
    },
    onRefused: (error) => {
      metrics.refused();
      log.warn({ field: error.field }, `a sender was refused: ${error.sentence}`);
    },
    log,
  });
  const listening = await listenForMetrics(shell, metrics.registry);
  const others = await beginReplicas({
    ...{ config, devices, stack, log, clock, registry: metrics.registry, blocks: models, insecure },
    library: () => service.senders.findLast(({ server }) => isInside(server))?.server,
    onFinding: (server, finding) => reporter.take(server, finding),
  });
  replicas = others?.replicas ?? null;
  const grpc = await serveSocket({
    ...{ socket, key: SOCKET_KEY, mode: config().socket_mode, maxMessageBytes: MAX_MESSAGE_BYTES },
    ...{ service, inbox, onRefused: () => metrics.refused(), stack, log },
  });
  const timer = setInterval(() => {
    models.tick(nowUs());
    keep();
  }, TICK_MS);
  stack.push('timer', () => clearInterval(timer));
  log.info({ node, socket, thresholds: config().thresholds_file }, 'analysing');
  return {
    ready: {
      grpc,
      ...(listening === null ? {} : { metrics: listening }),
      ...(others?.address ? { replicas: others.address } : {}),
    },
    retune: (changed) => models.retune(changed),
    resample: () => service.resample(),
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
