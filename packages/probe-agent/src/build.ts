import type { DirectiveStatus } from '@sentinel/contracts/sentinel/v1/control.js';
import { systemClock } from '@sentinel/service-kit/clock';
import { type ReadyInfo, type Service, StopStack } from '@sentinel/service-kit/lifecycle';
import type { Logger } from '@sentinel/service-kit/logging';
import { type MetricsServer, serveMetrics } from '@sentinel/service-kit/metrics';
import { reloadConfig } from '@sentinel/service-kit/reload';
import { type Common, Devices } from './assembly/common.js';
import { makeLink } from './assembly/link.js';
import { changeable, makePlanner, makeRunner } from './assembly/probing.js';
import { makeReporting } from './assembly/reporting.js';
import { openStores } from './assembly/stores.js';
import { makeTelemetry } from './assembly/telemetry.js';
import type { Loaded } from './command.js';
import { failures, selfTest } from './identity/self-test.js';
import { devicesOf, type Testbed } from './identity/testbed.js';
import { AgentMetrics, type Observed } from './observing/metrics.js';
import type { Planner } from './scheduler/planner.js';
import { type Settings, settingsOf } from './settings.js';
import type { Spool } from './spool/spool.js';
import type { TelemetryCollector } from './telemetry/collector.js';
import { DirectiveDesk } from './uplink/directive-desk.js';
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
  stack.push('probe child', () => parts.testbed.child.stop());
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
  planner?: Planner;
  desk?: DirectiveDesk;
  telemetry?: TelemetryCollector;
  wakeRunner?: () => void;
  connected: boolean;
}

async function start(parts: AgentParts, stack: StopStack): Promise<{ ready: ReadyInfo; reload: () => void }> {
  const { loaded, settings, testbed, log, fatal } = parts;
  const late: Late = { connected: false };
  const spool: Spool = await openStores(settings.config, (lost) => metrics.givenUp(lost), stack);
  const devices = new Devices(devicesOf(settings, testbed.info, true));
  const metrics: AgentMetrics = new AgentMetrics(observed(spool, devices, testbed, late));
  const common: Common = { settings, testbed, devices, metrics, clock: systemClock, log, fatal };

  const reporting = makeReporting(common, spool, () => late.uplink?.wake());
  const { events, reporter, appender, build } = reporting;
  testbed.child.onEvent = (event) => events.childFailed(event);
  const desk = new DirectiveDesk({
    devices: devices.all,
    clock: systemClock,
    log,
    send: (status: DirectiveStatus) => late.uplink?.status(status),
    onWork: () => late.wakeRunner?.(),
  });
  const planner = makePlanner(common, desk.book);
  const telemetry = makeTelemetry(common, reporting);
  Object.assign(late, { desk, planner, telemetry });
  const { runner, watch } = makeRunner(common, planner, desk.book, reporting, telemetry);
  late.wakeRunner = () => runner.wake();
  const listening = await listenForMetrics(common, stack);

  const tested = await selfTest(
    testbed.child,
    devices.all.flatMap(({ sms }) => sms),
  );
  for (const { sm, sentence } of failures(tested)) events.selfTestFailed(sm, sentence);
  await watch?.look();

  const uplink = makeLink(common, {
    spool,
    planner,
    build,
    tested,
    onMessage: (message) => desk.receive(message),
    onConnected: (engineTimeUs) => {
      late.connected = engineTimeUs !== null;
      if (engineTimeUs === null) return;
      desk.synchronise(engineTimeUs);
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
  stack.push('runner', () => runner.stop());
  const { testBuild } = testbed.info;
  events.started(`build ${build}${testBuild ? ' (test build)' : ''}`);
  uplink.start();
  telemetry.start();
  runner.start();
  log.info({ node: settings.config.node_name, devices: devices.all.map(({ id }) => id), build, testBuild }, 'probing');
  const address = listening?.address ?? null;
  let running = loaded;
  return {
    ready: address === null ? {} : { metrics: address },
    reload: () => {
      running = reloadAgent(running, devices, planner, log);
    },
  };
}

function observed(spool: Spool, devices: Devices, { child }: Testbed, late: Late): Observed {
  return {
    devices: () => devices.all.length,
    connected: () => late.connected,
    spoolRecords: () => spool.records,
    spoolBytes: () => spool.bytes,
    childRestarts: () => child.restarts,
    childBytes: () => child.residentBytes(),
    activeDirectives: () => late.desk?.book.active().length ?? 0,
    contexts: () => devices.all.map(({ id }) => late.telemetry?.latest.latest(id)),
    overheadPct: (pool) => late.planner?.overhead[pool].percent(systemClock.monotonicMs()) ?? 0,
  };
}

async function listenForMetrics({ settings, metrics, log }: Common, stack: StopStack): Promise<MetricsServer | null> {
  const { enabled, listen_address: address } = settings.config.metrics;
  if (!enabled) return null;
  const addressKey = 'probe_agent.metrics.listen_address';
  const server = await serveMetrics({ registry: metrics.registry, address, addressKey, log, required: false });
  stack.push('metrics', () => server.close());
  return server;
}

/** SIGHUP: takes what may change while the agent runs. */
function reloadAgent(running: Loaded, devices: Devices, planner: Planner, log: Logger): Loaded {
  const loaded = reloadConfig(running, log);
  planner.reconfigure(changeable(settingsOf(loaded), devices));
  return loaded;
}
