import type { DirectiveStatus } from '@sentinel/contracts/sentinel/v1/control.js';
import { systemClock } from '@sentinel/service-kit/clock';
import { type ReadyInfo, type Service, StopStack } from '@sentinel/service-kit/lifecycle';
import type { Logger } from '@sentinel/service-kit/logging';
import { type MetricsServer, serveMetrics } from '@sentinel/service-kit/metrics';
import { type Common, Devices } from './assembly/common.js';
import { makeLink } from './assembly/link.js';
import { Orders } from './assembly/orders.js';
import { Probing } from './assembly/probing.js';
import { makeReporting } from './assembly/reporting.js';
import { startDevices } from './assembly/start-devices.js';
import { openStores } from './assembly/stores.js';
import { makeTelemetry } from './assembly/telemetry.js';
import { watchLanes } from './assembly/watch-lanes.js';
import type { Loaded } from './command.js';
import { devicesOf, stopTestbed, type Testbed } from './identity/testbed.js';
import { AgentMetrics, type Observed } from './observing/metrics.js';
import { Pauses } from './scheduler/pauses.js';
import type { Settings } from './settings.js';
import type { ProbeSpool } from './spool/probe-spool.js';
import type { TelemetryCollector } from './telemetry/collector.js';
import { DirectiveDesk } from './uplink/directive-desk.js';
import { EngineClock } from './uplink/engine-clock.js';
import type { Uplink } from './uplink/uplink.js';

export interface AgentParts {
  readonly loaded: Loaded;
  readonly settings: Settings;
  readonly testbed: Testbed;
  readonly log: Logger;
  readonly fatal: (error: unknown) => void;
}

/** Composition root of the daemon. */
export function buildAgent(parts: AgentParts): Service {
  const stack = new StopStack();
  stack.push('probe children', () => stopTestbed(parts.testbed));
  let reload: () => void = () => {};
  return {
    start: async () => {
      const agent = await start(parts, stack);
      reload = agent.reload;
      return agent.ready;
    },
    stop: () => stack.stop(),
    reload: () => reload(),
  };
}

/** Parts that come into being after those that tell them something. */
interface Late {
  uplink?: Uplink;
  probing?: Probing;
  desk?: DirectiveDesk;
  telemetry?: TelemetryCollector;
  connected: boolean;
}

async function start(parts: AgentParts, stack: StopStack): Promise<{ ready: ReadyInfo; reload: () => void }> {
  const { loaded, settings, testbed, log, fatal } = parts;
  const { config } = settings;
  const late: Late = { connected: false };
  const spool: ProbeSpool = await openStores(config, (lost) => metrics.givenUp(lost), stack);
  const devices = new Devices(devicesOf(testbed));
  const pauses = new Pauses(config.paused_devices);
  const metrics: AgentMetrics = new AgentMetrics({
    node: config.node_name,
    ...observed(spool, devices, testbed, pauses, late),
  });
  const common: Common = { settings, testbed, devices, metrics, clock: systemClock, log, fatal };

  const reporting = makeReporting(common, spool, () => late.uplink?.wake());
  const { events, reporter, appender, build } = reporting;
  const engineClock = new EngineClock(systemClock);
  const desk = new DirectiveDesk({
    devices: devices.all,
    clock: systemClock,
    engineClock,
    log,
    send: (status: DirectiveStatus) => late.uplink?.status(status),
    onWork: () => late.probing?.wake(),
  });
  const telemetry = makeTelemetry(common, reporting);
  const probing = new Probing(common, { directives: desk.book, pauses, reporting, telemetry });
  Object.assign(late, { desk, probing, telemetry });
  const orders = new Orders(common, { loaded, pauses, probing, events, engineClock }, stack);
  const sayHelloAnew = () => late.uplink?.renew();
  watchLanes(testbed.lanes, events, (lane) => {
    probing.refresh(lane);
    sayHelloAnew();
  });
  const listening = await listenForMetrics(common, probing, stack);
  for (const { deviceId, sentence } of testbed.remarks) events.remark(deviceId, sentence);
  const uplink = makeLink(common, {
    spool,
    build,
    overheadPct: () => probing.overheadPct('all'),
    onMessage: (message) => {
      desk.receive(message);
      orders.receive(message);
    },
    onConnected: (engineTimeUs) => {
      late.connected = engineTimeUs !== null;
      if (engineTimeUs === null) return;
      engineClock.synchronise(engineTimeUs);
      telemetry.restart();
    },
  });
  late.uplink = uplink;
  stack.push('uplink', () => uplink.stop());
  stack.push('reporter', async () => {
    appender.stop();
    await events.stopped();
    await reporter.flush();
  });
  stack.push('telemetry', () => telemetry.stop());
  stack.push('probing', () => probing.stop());
  const { testBuild } = testbed.info;
  await startDevices(testbed.lanes, { events, probing, testBuild, onLate: sayHelloAnew, fatal });
  events.started(`build ${build}${testBuild ? ' (test build)' : ''}`);
  uplink.start();
  telemetry.start();
  log.info({ node: config.node_name, devices: devices.ids, build, testBuild }, 'probing');
  const address = listening?.address ?? null;
  return { ready: address === null ? {} : { metrics: address }, reload: () => orders.reload() };
}

function observed(
  spool: ProbeSpool,
  devices: Devices,
  { lanes }: Testbed,
  pauses: Pauses,
  late: Late,
): Omit<Observed, 'node'> {
  const children = lanes.map(({ child }) => child);
  return {
    devices: () => devices.all.length,
    connected: () => late.connected,
    spoolRecords: () => spool.records,
    spoolBytes: () => spool.bytes,
    childRestarts: () => children.reduce((sum, { restarts }) => sum + restarts, 0),
    childBytes: () => children.reduce((sum, child) => sum + (child.residentBytes() ?? 0), 0),
    activeDirectives: () => late.desk?.book.active().length ?? 0,
    pausedDevices: () => devices.ids.filter((id) => pauses.isPaused(id, Date.now())).length,
    coverage: () => late.probing?.coverage.families(systemClock.monotonicMs()) ?? [],
    hotShare: () => late.probing?.hotShare(),
    goldenPct: () => late.probing?.goldenPct() ?? 0,
    contexts: () => devices.ids.map((id) => late.telemetry?.latest.latest(id)),
    overheadPct: (pool) => late.probing?.overheadPct(pool) ?? 0,
    lostPct: (pool) => late.probing?.lostPct(pool) ?? 0,
  };
}

async function listenForMetrics(
  { settings, metrics, log }: Common,
  probing: Probing,
  stack: StopStack,
): Promise<MetricsServer | null> {
  const { enabled, listen_address: address } = settings.config.metrics;
  if (!enabled) return null;
  const addressKey = 'probe_agent.metrics.listen_address';
  const pages = { '/coverage': () => ({ devices: probing.coverage.devices(systemClock.monotonicMs()) }) };
  const server = await serveMetrics({ registry: metrics.registry, address, addressKey, log, required: false, pages });
  stack.push('metrics', () => server.close());
  return server;
}
