import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ProbeServiceClient } from '@sentinel/contracts/sentinel/v1/probe.js';
import { systemClock } from '@sentinel/service-kit/clock';
import { lockDirectory } from '@sentinel/service-kit/directory-lock';
import { createClient } from '@sentinel/service-kit/grpc-client';
import { type ReadyInfo, type Service, StopStack } from '@sentinel/service-kit/lifecycle';
import type { Logger } from '@sentinel/service-kit/logging';
import { serveMetrics } from '@sentinel/service-kit/metrics';
import type { Loaded } from './command.js';
import { InjectionWatch } from './execution/injection-watch.js';
import { SystemLoudFaults } from './execution/loud-faults.js';
import { Runner } from './execution/runner.js';
import { agentKey } from './identity/agent-key.js';
import { buildId } from './identity/build-id.js';
import { describeDevice } from './identity/devices.js';
import { nodeFolder } from './identity/node-folder.js';
import { failures, selfTest } from './identity/self-test.js';
import { devicesOf, type Testbed } from './identity/testbed.js';
import { uuidV7 } from './identity/uuid.js';
import { VERSION } from './identity/version.js';
import { AgentMetrics } from './observing/metrics.js';
import { Events } from './reporting/events.js';
import { MismatchLog } from './reporting/mismatch-log.js';
import { Reporter } from './reporting/reporter.js';
import { plannedEntries, timetableOf } from './scheduler/entries.js';
import { storedIndices } from './scheduler/index-store.js';
import { Planner } from './scheduler/planner.js';
import { type Settings, settingsOf } from './settings.js';
import { AckJournal } from './spool/ack-journal.js';
import { PatientAppender } from './spool/patient-append.js';
import { Spool } from './spool/spool.js';
import { spoolFolder } from './spool/spool-folder.js';
import { DirectiveDesk } from './uplink/directive-desk.js';
import { explainUplinkError } from './uplink/explain.js';
import { Uplink } from './uplink/uplink.js';

/** How often machine checks and memory errors are counted. */
const LOUD_FAULTS_INTERVAL_MS = 10_000;

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
  let reload: NonNullable<Service['reload']> = () => {};
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

async function start(parts: AgentParts, stack: StopStack): Promise<{ ready: ReadyInfo; reload: () => void }> {
  const { settings, testbed, log, fatal } = parts;
  const { config } = settings;
  const { child, info } = testbed;
  const clock = systemClock;

  const folder = nodeFolder(config);
  mkdirSync(folder, { recursive: true });
  const lock = await lockDirectory(folder);
  stack.push('lock', () => lock.release());

  const devices = devicesOf(settings, info, true);
  const smsOf = (id: string) => devices.find((device) => device.id === id)?.sms ?? [];
  const deviceOf = (sm: number) => devices.find(({ sms }) => sms.includes(sm))?.id ?? '';

  let connected = false;
  let uplink: Uplink | undefined;
  const metrics = new AgentMetrics({
    devices: () => devices.length,
    connected: () => connected,
    spoolRecords: () => spool.records,
    spoolBytes: () => spool.bytes,
    childRestarts: () => child.restarts,
    childBytes: () => child.residentBytes(),
    activeDirectives: () => desk.book.active().length,
    overheadPct: (pool) => planner.overhead[pool].percent(clock.monotonicMs()),
  });

  // A spool of its own: an engine that refuses test builds would refuse its reports for ever, and everything behind them.
  const spools = join(folder, info.testBuild ? 'spool-test' : 'spool');
  const place = spoolFolder(spools, () => uuidV7(Date.now(), randomBytes(10)));
  const journal = config.spool.ack_journal ? await AckJournal.open(join(folder, 'acks.jsonl'), place.spoolId) : null;
  if (journal !== null) stack.push('ack journal', () => journal.close());
  const spool = await Spool.open({
    folder: place,
    maxBytes: config.spool.max_bytes,
    journal,
    onGivenUp: (lost) => metrics.givenUp(lost),
  });
  stack.push('spool', () => spool.close());

  const appender = new PatientAppender({
    append: (payload) => spool.append(payload),
    onAppended: () => uplink?.wake(),
    onLost: fatal,
    log,
  });
  const build = buildId(VERSION, testbed.addonFile, import.meta.dirname);
  const reporter = new Reporter({
    buildId: build,
    testBuild: info.testBuild,
    batchSize: config.batch_size,
    flushIntervalMs: config.batch_flush_interval_ms,
    smsOf,
    clock,
    append: (payload) => appender.append(payload),
  });
  const events = new Events({ reporter, metrics, log, deviceOf });
  child.onEvent = (event) => events.childFailed(event);

  const desk = new DirectiveDesk({
    devices,
    clock,
    log,
    send: (status) => uplink?.status(status),
    onWork: () => runner.wake(),
  });

  const planned = plannedEntries(settings.schedule, devices[0]?.families ?? []);
  if (planned.absent.length > 0)
    log.info({ probes: planned.absent }, 'probes of the schedule that have no family here: not run');
  const planner = new Planner({
    timetable: timetableOf(devices, planned),
    directives: desk.book,
    indices: new Map(devices.map(({ id }) => [id, storedIndices(folder, id)])),
    cpus: info.cpus,
    overheadBudgetPct: settings.overheadBudgetPct,
    burstBudgetPct: config.burst_budget_pct,
  });

  const watch = info.testBuild ? new InjectionWatch(child, log) : null;
  const mismatches = new MismatchLog(log, clock);
  const loudFaults = new SystemLoudFaults();
  const sampling = setInterval(() => loudFaults.sample(), LOUD_FAULTS_INTERVAL_MS);
  stack.push('loud faults', () => clearInterval(sampling));
  const runner = new Runner({
    planner,
    directives: desk.book,
    executor: { child, clock, loudFaults },
    smsOf,
    onRun: (run) => {
      metrics.ran(run);
      void watch?.look();
    },
    report: async (group) => {
      mismatches.group(group);
      await reporter.runs(group);
    },
    onProblem: (error) => log.error({ err: error }, 'a probe could not be started; it is tried again'),
    onDispute: ({ family }, dispute) => events.goldenDisagreed(family, dispute),
  });

  const listening = config.metrics.enabled
    ? await serveMetrics({
        registry: metrics.registry,
        address: config.metrics.listen_address,
        addressKey: 'probe_agent.metrics.listen_address',
        log,
        required: false,
      })
    : null;
  if (listening !== null) stack.push('metrics', () => listening.close());

  const tested = await selfTest(
    child,
    devices.flatMap(({ sms }) => sms),
  );
  for (const { sm, sentence } of failures(tested)) events.selfTestFailed(sm, sentence);
  await watch?.look();

  const endpoint = config.correlation_engine_endpoint;
  const described = devices.map(({ id, sms }) => describeDevice(id, sms, info, tested));
  uplink = new Uplink({
    identity: { node: config.node_name, keyId: config.hmac_key_id, agentKey: agentKey(config) },
    spool,
    connect: () => createClient(ProbeServiceClient, { address: endpoint, tls: tlsOf(config.tls), token: '' }),
    hello: () => ({
      node: config.node_name,
      spoolId: spool.spoolId,
      buildId: build,
      testBuild: info.testBuild,
      agentVersion: VERSION,
      keyId: config.hmac_key_id,
      agentTimeUs: clock.nowUs(),
      devices: described,
      lastSequence: spool.lastSequence,
    }),
    heartbeat: () => ({
      agentTimeUs: clock.nowUs(),
      spoolRecords: spool.records,
      spoolBytes: BigInt(spool.bytes),
      overheadPct: Object.values(planner.overhead).reduce((sum, pool) => sum + pool.percent(clock.monotonicMs()), 0),
    }),
    onWelcome: ({ engineTimeUs, committedThrough, archivedThrough }) => {
      connected = true;
      desk.synchronise(engineTimeUs);
      log.info(
        { endpoint, committedThrough: Number(committedThrough), archivedThrough: Number(archivedThrough) },
        'connected to the engine',
      );
    },
    onMessage: (message) => desk.receive(message),
    onDisconnect: (error, retryMs) => {
      connected = false;
      metrics.disconnected();
      log.warn({ retryMs: Math.round(retryMs) }, explainUplinkError(error, endpoint));
    },
  });

  const link = uplink;
  stack.push('uplink', () => link.stop());
  stack.push('reporter', async () => {
    appender.stop();
    await events.stopped();
    await reporter.flush();
  });
  stack.push('runner', () => runner.stop());
  events.started(`build ${build}${info.testBuild ? ' (test build)' : ''}`);
  link.start();
  runner.start();
  const metricsAddress = listening?.address ?? null;
  log.info(
    { node: config.node_name, devices: devices.map(({ id }) => id), build, testBuild: info.testBuild },
    'probing',
  );
  return {
    ready: metricsAddress === null ? {} : { metrics: metricsAddress },
    reload: () => reloadAgent(parts, devices, planner),
  };
}

/** SIGHUP: takes what may change while the agent runs. */
function reloadAgent({ loaded, log }: AgentParts, devices: ReturnType<typeof devicesOf>, planner: Planner): void {
  const { loaded: next, reloaded, needRestart } = loaded.reload();
  const settings = settingsOf(next);
  planner.reconfigure({
    timetable: timetableOf(devices, plannedEntries(settings.schedule, devices[0]?.families ?? [])),
    overheadBudgetPct: settings.overheadBudgetPct,
    burstBudgetPct: settings.config.burst_budget_pct,
  });
  log.info({ reloaded, needRestart }, 'configuration reloaded');
}

function tlsOf(tls: Settings['config']['tls']) {
  if (!tls.enabled) return null;
  const files = { certFile: tls.cert_file, keyFile: tls.key_file, caFile: tls.ca_file };
  return { files, keyPrefix: 'probe_agent.tls', serverName: '' };
}
