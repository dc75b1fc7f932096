import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AnomalyServiceClient } from '@sentinel/contracts/sentinel/v1/anomaly.js';
import { type Clock, systemClock } from '@sentinel/service-kit/clock';
import type { LoadedConfig, TrainingMonitorConfig } from '@sentinel/service-kit/config';
import { lockDirectory } from '@sentinel/service-kit/directory-lock';
import { createClient } from '@sentinel/service-kit/grpc-client';
import { startGrpcServer } from '@sentinel/service-kit/grpc-server';
import { type ReadyInfo, type Service, StopStack } from '@sentinel/service-kit/lifecycle';
import type { Logger } from '@sentinel/service-kit/logging';
import { serveMetrics } from '@sentinel/service-kit/metrics';
import { reloadConfig } from '@sentinel/service-kit/reload';
import { spoolFolder } from '@sentinel/service-kit/spool';
import { uuidV7 } from '@sentinel/service-kit/uuid';
import { VERSION } from '@sentinel/service-kit/version';
import { Runs } from './grouping/runs.js';
import { Inbox } from './ingest/inbox.js';
import { freeSocket, openSocketTo, SOCKET_KEY } from './ingest/socket.js';
import { TrainingService } from './ingest/training-service.js';
import { MonitorMetrics } from './observing/metrics.js';
import { Devices } from './report/devices.js';
import { Reporter } from './report/reporter.js';
import { thresholdsOf } from './settings.js';
import type { SettableThresholds } from './thresholds/thresholds.js';
import { type AnomalySpool, hasRoomForSoft, openAnomalySpool } from './uplink/anomaly-spool.js';
import { explainUplinkError } from './uplink/explain.js';
import { Uplink } from './uplink/uplink.js';

/** Largest record of a job: the checksums of 16,384 ranks, or their places. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

const TICK_MS = 1_000;

export type Loaded = LoadedConfig<'training_monitor'>;

export interface MonitorParts {
  readonly loaded: Loaded;
  readonly thresholds: SettableThresholds;
  readonly log: Logger;
  readonly fatal: (error: unknown) => void;
  readonly clock?: Clock;
}

/** Composition root. */
export function buildMonitor(parts: MonitorParts): Service {
  const stack = new StopStack();
  const state = { loaded: parts.loaded };
  return {
    start: () => start(parts, stack, () => state.loaded.config),
    stop: () => stack.stop(),
    reload: () => {
      const loaded = reloadConfig(state.loaded, parts.log);
      const changed = parts.thresholds.set(thresholdsOf(loaded.config));
      state.loaded = loaded;
      if (changed) parts.log.info({ file: loaded.config.thresholds_file }, 'limits changed: charts begin anew');
    },
  };
}

async function start(parts: MonitorParts, stack: StopStack, config: () => TrainingMonitorConfig): Promise<ReadyInfo> {
  const { thresholds, log, fatal, clock = systemClock } = parts;
  const { node_name: node, socket_path: socket, spool: limits, rank_device_map: map } = config();
  const spool = await openSpool(config(), stack);
  const nowMs = () => clock.monotonicMs();
  const inbox = new Inbox((error) => log.error({ err: error }, 'an analyser failed on a record'));
  const runs: Runs = new Runs({
    thresholds: thresholds.current,
    onFinding: (job, finding) => reporter.take(job, finding),
  });
  thresholds.onChange((changed) => runs.retune(changed));
  const link = { connected: true };
  const metrics = new MonitorMetrics({
    node,
    runs: () => runs.size,
    ranks: () => runs.ranks,
    queueDropped: () => inbox.dropped,
    counts: () => runs.counts,
    connected: () => link.connected || spool.records === 0,
    spoolRecords: () => spool.records,
    spoolBytes: () => spool.bytes,
  });
  const uplink = makeUplink(config, { spool, metrics, link, log });
  const reporter = new Reporter({
    devices: new Devices(node, map),
    buildId: `training-monitor ${VERSION}`,
    append: (payload) => spool.append(payload),
    hasRoom: () => hasRoomForSoft(spool, limits.max_bytes),
    onAppended: () => uplink.wake(),
    onFinding: (finding) => metrics.finding(finding),
    onNotSent: (reason, events) => metrics.notSent(reason, events),
    onLost: fatal,
    nowMs,
    nowUs: () => clock.nowUs(),
    log,
  });
  const service = new TrainingService({
    inbox,
    join: (sender) => {
      sayPlace(sender.places[sender.rank]?.node ?? '', node, log);
      return runs.join(sender);
    },
    nowMs,
    onRecord: (_, record) => metrics.record(record),
    onLibraryDropped: (records) => metrics.libraryDropped(records),
    onRefused: (error) => {
      metrics.refused();
      log.warn({ field: error.field }, `a rank was refused: ${error.sentence}`);
    },
    log,
  });
  const listening = await listenForMetrics(config(), metrics, log, stack);
  stack.push('uplink', () => uplink.stop());
  stack.push('reporter', () => reporter.flush());
  uplink.start();
  await freeSocket(socket);
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
  openSocketTo(socket, config().socket_mode);
  stack.push('socket', async () => {
    service.close();
    await server.stop();
    await inbox.idle();
  });
  const timer = setInterval(() => runs.tick(nowMs()), TICK_MS);
  stack.push('timer', () => clearInterval(timer));
  log.info({ node, socket, thresholds: config().thresholds_file }, 'analysing');
  return { grpc: server.address, ...(listening === null ? {} : { metrics: listening }) };
}

async function openSpool(config: TrainingMonitorConfig, stack: StopStack): Promise<AnomalySpool> {
  const folder = join(config.data_dir, config.node_name);
  mkdirSync(folder, { recursive: true });
  const lock = await lockDirectory(folder);
  stack.push('lock', () => lock.release());
  const place = spoolFolder(join(folder, 'spool'), () => uuidV7(Date.now(), randomBytes(10)));
  const spool = await openAnomalySpool(place, config.spool.max_bytes);
  stack.push('spool', () => spool.close());
  return spool;
}

interface LinkParts {
  readonly spool: AnomalySpool;
  readonly metrics: MonitorMetrics;
  readonly link: { connected: boolean };
  readonly log: Logger;
}

function makeUplink(config: () => TrainingMonitorConfig, { spool, metrics, link, log }: LinkParts): Uplink {
  const { node_name: node, correlation_engine_endpoint: address } = config();
  return new Uplink({
    node,
    spool,
    connect: () => {
      const { tls, service_token: token } = config();
      return createClient(AnomalyServiceClient, { address, tls: tlsOf(tls), token });
    },
    onConnected: () => {
      if (!link.connected) log.info({ endpoint: address }, 'the engine takes anomalies again');
      link.connected = true;
    },
    onDisconnect: (error, retryMs) => {
      link.connected = false;
      metrics.disconnected();
      // Where nothing waits an ended stream is no matter: the next anomaly opens another.
      const say = spool.records === 0 ? log.debug.bind(log) : log.warn.bind(log);
      say({ retryMs: Math.round(retryMs) }, explainUplinkError(error, address));
    },
    onWarning: (sentence) => log.warn({ from: 'engine' }, sentence),
    onGivenUp: (records, reason) => {
      metrics.givenUp(records);
      log.error({ records }, `records that the engine refuses were given up: ${reason}`);
    },
  });
}

function tlsOf(tls: TrainingMonitorConfig['tls']) {
  if (!tls.enabled) return null;
  const files = { certFile: tls.cert_file, keyFile: tls.key_file, caFile: tls.ca_file };
  return { files, keyPrefix: 'training_monitor.tls', serverName: tls.server_name };
}

/** A job in a container may not know its node's name: it is on this node all the same. */
function sayPlace(says: string, node: string, log: Logger): void {
  if (says !== node) log.info({ says, node }, 'a rank names its node otherwise; it is taken for this one');
}

async function listenForMetrics(
  { metrics: { enabled, listen_address: address } }: TrainingMonitorConfig,
  { registry }: MonitorMetrics,
  log: Logger,
  stack: StopStack,
): Promise<string | null> {
  if (!enabled) return null;
  const addressKey = 'training_monitor.metrics.listen_address';
  const server = await serveMetrics({ registry, address, addressKey, log, required: false });
  stack.push('metrics', () => server.close());
  return server.address;
}
