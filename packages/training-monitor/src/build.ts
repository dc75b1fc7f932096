import { Inbox } from '@sentinel/monitor-kit/ingest/inbox';
import { serveSocket } from '@sentinel/monitor-kit/ingest/serve-socket';
import { connectToEngine, listenForMetrics } from '@sentinel/monitor-kit/monitor-shell';
import type { SettableThresholds } from '@sentinel/monitor-kit/thresholds';
import { type Clock, systemClock } from '@sentinel/service-kit/clock';
import type { LoadedConfig, TrainingMonitorConfig, TrainingThresholds } from '@sentinel/service-kit/config';
import { type ReadyInfo, type Service, StopStack } from '@sentinel/service-kit/lifecycle';
import type { Logger } from '@sentinel/service-kit/logging';
import { reloadConfig } from '@sentinel/service-kit/reload';
import { Runs } from './grouping/runs.js';
import { TrainingService } from './ingest/training-service.js';
import { MonitorMetrics } from './observing/metrics.js';
import { Devices } from './report/devices.js';
import { Reporter } from './report/reporter.js';
import { thresholdsOf } from './settings.js';

/** Name in the configuration. */
const SOCKET_KEY = 'training_monitor.socket_path';

/** As it signs its anomalies. */
const MONITOR = 'training-monitor';

/** Largest record of a job: the checksums of 16,384 ranks, or their places. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

const TICK_MS = 1_000;

export type Loaded = LoadedConfig<'training_monitor'>;

export interface MonitorParts {
  readonly loaded: Loaded;
  readonly thresholds: SettableThresholds<TrainingThresholds>;
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
      let changed = false;
      state.loaded = reloadConfig(state.loaded, parts.log, ({ config }) => {
        changed = parts.thresholds.set(thresholdsOf(config));
      });
      const { thresholds_file: file } = state.loaded.config;
      if (changed) parts.log.info({ file }, 'limits changed: charts begin anew');
    },
  };
}

async function start(parts: MonitorParts, stack: StopStack, config: () => TrainingMonitorConfig): Promise<ReadyInfo> {
  const { thresholds, log, fatal, clock = systemClock } = parts;
  const { node_name: node, socket_path: socket, rank_device_map: map } = config();
  const nowMs = () => clock.monotonicMs();
  const inbox = new Inbox((error) => log.error({ err: error }, 'an analyser failed on a record'));
  const runs: Runs = new Runs({
    thresholds: thresholds.current,
    onFinding: (job, finding) => reporter.take(job, finding),
    onStored: (job, stored) => reporter.stored(job, stored),
  });
  thresholds.onChange((changed) => runs.retune(changed));
  const metrics = new MonitorMetrics({
    node,
    runs: () => runs.size,
    ranks: () => runs.ranks,
    queueDropped: () => inbox.dropped,
    counts: () => runs.counts,
    connected: () => engine.connected(),
    spoolRecords: () => engine.spool.records,
    spoolBytes: () => engine.spool.bytes,
  });
  const shell = { monitor: MONITOR, config, counts: metrics.uplink, stack, log, fatal, clock };
  const engine = await connectToEngine(shell);
  const reporter = new Reporter({
    devices: new Devices(node, map),
    outbox: engine.outbox,
    onFinding: (finding) => metrics.uplink.finding(finding),
    onNotSent: (reason, events) => metrics.uplink.notSent(reason, events),
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
  const listening = await listenForMetrics(shell, metrics.registry);
  const grpc = await serveSocket({
    ...{ socket, key: SOCKET_KEY, mode: config().socket_mode, maxMessageBytes: MAX_MESSAGE_BYTES },
    ...{ service, inbox, onRefused: () => metrics.refused(), stack, log },
  });
  const timer = setInterval(() => runs.tick(nowMs()), TICK_MS);
  stack.push('timer', () => clearInterval(timer));
  log.info({ node, socket, thresholds: config().thresholds_file }, 'analysing');
  return { grpc, ...(listening === null ? {} : { metrics: listening }) };
}

/** A job in a container may not know its node's name: it is on this node all the same. */
function sayPlace(says: string, node: string, log: Logger): void {
  if (says !== node) log.info({ says, node }, 'a rank names its node otherwise; it is taken for this one');
}
