/** What Prometheus and Grafana are provisioned with, against the real services: first with nothing wrong, then with much. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import { TestAgent } from '@sentinel/correlation-engine/testing';
import { checkMonitoring, type Quiet, WITHOUT_READERS, WITHOUT_REPLICAS } from '@sentinel/monitoring';
import { freePort } from '@sentinel/test-kit';
import { CLI, type Outcome, runNode, runProgram, sentinel } from '../harness/cli.js';
import { EngineClient } from '../harness/engine-client.js';
import { type Injector, startInjector } from '../harness/injector.js';
import { BIN } from '../harness/paths.js';
import { startPrometheus, type TestPrometheus } from '../harness/prometheus.js';
import { readRunbooks } from '../harness/runbooks.js';
import type { Service } from '../harness/service.js';
import { BUSY_AGENT, Stack } from '../harness/stack.js';
import { until } from '../harness/until.js';

const hasPrometheus = spawnSync('promtool', ['--version']).status === 0;
const skip = hasPrometheus || process.env['CI'] === 'true' ? false : 'Prometheus is not installed';

const PATIENCE_MS = 90_000;
const RATE_INTERVAL = '10s';
const NOT_SOON = 'comes after hours';
const NO_JOB = 'no job runs that is watched';
/** What this test does not bring about. */
const WHILE_WRONG: Quiet = {
  metrics: { ...WITHOUT_READERS.metrics, ...WITHOUT_REPLICAS.metrics, sentinel_anomaly_events_total: NO_JOB },
  expressions: {
    ...WITHOUT_READERS.expressions,
    ...WITHOUT_REPLICAS.expressions,
    'audit-ledger-status: Last verified': NOT_SOON,
    'correlation-engine-performance: Given up': 'one of its two series: the memory of decisions has room',
    'training-monitors: Cost of the library': NO_JOB,
    'training-monitors: Events of monitors': NO_JOB,
    'training-monitors: Findings': NO_JOB,
    'inference-monitors: Findings': NO_JOB,
    'inference-monitors: Requests that are looked at': NO_JOB,
  },
};

interface Alert {
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

describe('monitoring', { skip, timeout: 600_000 }, () => {
  let stack: Stack;
  let engine: EngineClient;
  let prometheus: TestPrometheus;
  let injector: Injector;
  let sidecar: Service;
  let faultyGpu = '';
  /** Addresses of the services that runbooks speak of, by what they call them. */
  const places: Record<string, string> = {};

  before(async () => {
    stack = await Stack.start({ agent: BUSY_AGENT });
    engine = new EngineClient(stack);
    const { metrics: healthy = '' } = await stack.agent({ node: 'honest' }).start();
    const { metrics: training = '' } = await stack.trainingMonitor('honest').start();
    // Requests would pass it; no server is there.
    const upstream_url = `http://127.0.0.1:${await freePort()}`;
    sidecar = stack.inferenceMonitor('honest', { framework: 'generic', upstream_url, listen_address: '127.0.0.1:0' });
    const { metrics: inference = '' } = await sidecar.start();
    injector = await startInjector();
    const { engine: engineAt, ledger: ledgerAt } = stack.address;
    prometheus = await startPrometheus(join(stack.folder, 'prometheus'), {
      'sentinel-correlation-engine': [engineAt.metrics],
      'sentinel-audit-ledger': [ledgerAt.metrics],
      'sentinel-probe-agent': [healthy],
      'sentinel-training-monitor': [training],
      'sentinel-inference-monitor': [inference],
      'sentinel-sidecar-injector': [injector.metrics],
    });
    Object.assign(places, { 'ENGINE:9090': engineAt.metrics, 'ENGINE:8080': engineAt.http });
    Object.assign(places, { 'NODE:9094': training, 'NODE:9093': inference, 'INJECTOR:9095': injector.metrics });
    Object.assign(places, { 'LEDGER:9091': ledgerAt.metrics, 'LEDGER:8083': ledgerAt.http, 'AGENT:9092': healthy });
  });
  after(async () => {
    engine?.close();
    await prometheus?.[Symbol.asyncDispose]();
    await injector?.process.kill();
    // As Ctrl-C: the front ends too.
    sidecar?.signal('SIGINT');
    await sidecar?.ended();
    await stack?.stop();
  });

  /** Waits until nothing is wrong; shows what is when it does not come to that. */
  const wellProvisioned = async (quiet?: Quiet): Promise<void> => {
    let wrong: string[] = [];
    const options = { rateInterval: RATE_INTERVAL, ...(quiet === undefined ? {} : { quiet }) };
    await until('every expression answers', PATIENCE_MS, async () => {
      wrong = await checkMonitoring(prometheus.base, options);
      return wrong.length === 0;
    }).catch((error: unknown) => {
      throw new Error(wrong.join('\n'), { cause: error });
    });
  };
  const alerts = async (): Promise<Alert[]> => {
    const response = await fetch(`${prometheus.base}/api/v1/alerts`);
    return ((await response.json()) as { data: { alerts: Alert[] } }).data.alerts;
  };

  it('answers every rule and every panel while all is well, and no alert fires', async () => {
    await wellProvisioned();
    assert.deepEqual(
      (await alerts()).filter(({ state }) => state === 'firing'),
      [],
    );
  });

  it('answers what is quiet otherwise once a device is quarantined, a node is away and somebody is refused', async () => {
    await stack.agent({ node: 'faulty', inject: 'core=1,family=fma32,rate=0.01' }).start();
    faultyGpu = (await engine.deviceOf('faulty')).gpu;
    await engine.state(faultyGpu, [GpuState.QUARANTINED, GpuState.DEEP_TEST], PATIENCE_MS);
    await tellSensors(stack, 'warm');
    await assert.rejects(
      new TestAgent(stack.address.engine.grpc, { node: 'stranger', fleetKey: 'not-the-key' }).connect(),
    );
    await wellProvisioned(WHILE_WRONG);
  });

  it('fires for the fault and names the device, in words without a mistake', async () => {
    const fired = await until('the alerts of the fault', PATIENCE_MS, async () => {
      const firing = (await alerts()).filter(({ state }) => state === 'firing');
      const names = firing.map(({ labels }) => labels['alertname']);
      return ['ProbeFailure', 'GpuQuarantined'].every((name) => names.includes(name)) ? firing : null;
    });
    const quarantined = fired.find(({ labels }) => labels['alertname'] === 'GpuQuarantined');
    assert.deepEqual([quarantined?.labels['gpu'], quarantined?.labels['node']], [faultyGpu, 'faulty']);
    // Another one may lose its connection for a moment: its alert goes again.
    let away: (string | undefined)[] = [];
    await until('the alert of the node that left, and of no other', PATIENCE_MS, async () => {
      const pending = (await alerts()).filter(({ labels }) => labels['alertname'] === 'AgentDisconnected');
      away = pending.map(({ labels }) => labels['node']);
      return away.length === 1 && away[0] === 'warm';
    }).catch(() => assert.deepEqual(away, ['warm']));
    for (const { annotations } of await alerts())
      assert.doesNotMatch(Object.values(annotations).join('\n'), /error expanding|<no value>|%!/);
  });

  it('is looked into by the commands of the runbooks', async () => {
    const words = { ...places, GPU: faultyGpu, NODE: 'faulty' };
    const done = new Set<string>();
    for (const { alert, looks } of readRunbooks()) {
      assert.ok(looks.length > 0, alert);
      for (const look of looks) {
        if (done.has(look)) continue;
        done.add(look);
        const line = Object.entries(words).reduce((text, [word, value]) => text.replaceAll(word, value), look);
        const { code, stderr } = await typed(stack, line);
        // No incident is open: that is an answer.
        const expected = look.includes('INCIDENT') ? 1 : 0;
        assert.equal(code, expected, `${alert}: ${line}\n${stderr}`);
      }
    }
  });
});

/** A node whose sensors said something, and that went away. */
async function tellSensors(stack: Stack, node: string): Promise<void> {
  const agent = new TestAgent(stack.address.engine.grpc, { node, fleetKey: stack.secrets.fleetKey });
  await agent.connect();
  const values = { temperature_c: 61, power_w: 210 };
  const sample = { deviceId: agent.device, timeUs: BigInt(Date.now()) * 1000n, values, texts: {}, partial: false };
  const sequence = agent.payload({ $case: 'telemetry', value: { samples: [sample] } });
  agent.sendAll(sequence);
  await agent.archived(sequence);
  agent.close();
}

function typed(stack: Stack, line: string): Promise<Outcome> {
  const [program, ...args] = line.split(' ');
  return program === 'sentinel' ? sentinel(stack, ...args) : runProgram('bash', ['-o', 'pipefail', '-c', line]);
}

const PROGRAMS: Readonly<Record<string, string>> = {
  sentinel: CLI,
  'sentinel-audit-ledger': BIN.ledger,
  'sentinel-correlation-engine': BIN.engine,
  'sentinel-probe-agent': BIN.agent,
};

const HELP = new Map<string, Promise<Outcome>>();

/** Of a command of `sentinel`; the services have one help for all of theirs. */
function help(program: string, names: readonly string[]): Promise<Outcome> {
  const file = PROGRAMS[program];
  if (file === undefined) throw new Error(`${program} is no program of ours`);
  const args = [...(program === 'sentinel' ? names : []), '--help'];
  const key = [program, ...args].join(' ');
  const known = HELP.get(key) ?? runNode(file, args);
  HELP.set(key, known);
  return known;
}

describe('a runbook', () => {
  const mentions = [...new Set(readRunbooks().flatMap((page) => [...page.mentions, ...page.looks]))];

  for (const mention of mentions.filter((text) => text.startsWith('sentinel')))
    it(`speaks of a command that there is: ${mention}`, async () => {
      const [program = '', ...words] = mention.split(' ');
      const names = words.filter((word) => /^[a-z-]+$/.test(word) && !word.startsWith('-')).slice(0, 2);
      const { stdout } = await help(program, names);
      // Of an unknown command commander shows the help of what is above it.
      if (program === 'sentinel') assert.match(stdout, new RegExp(`^Usage: ${[program, ...names].join(' ')}\\b`));
      else for (const name of names) assert.match(stdout, new RegExp(`^ +${name} `, 'm'));
      for (const flag of words.filter((word) => word.startsWith('--'))) assert.ok(stdout.includes(flag), flag);
    });
});
