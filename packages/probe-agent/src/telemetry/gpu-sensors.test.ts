import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { addonPath } from '@sentinel/native-probes';
import { canBuildFakeGpu, type FakeMachine, fakeGpu } from '@sentinel/native-probes/fake-gpu';
import { buildFakeNvml } from '@sentinel/native-probes/fake-nvml';
import { systemClock } from '@sentinel/service-kit/clock';
import { eventually } from '@sentinel/test-kit';
import { ProbeChild } from '../probe-child/probe-child.js';
import { TelemetryCollector } from './collector.js';
import { GpuSensors, takeXids } from './gpu-sensors.js';
import type { LoudFault } from './reading.js';

const GPU = 'GPU-11111111-2222-4333-8444-555555555555';
const OTHER = 'GPU-66666666-2222-4333-8444-555555555555';
const PATIENCE_MS = 60_000;
const needs = canBuildFakeGpu || process.env['CI'] === 'true' ? {} : { skip: 'the fake GPU is for x86-64 Linux' };

type Says = Record<string, string | number>;

function machine(first: Says, second: Says, xids: readonly Says[] = []): FakeMachine {
  const entries = [
    { word: 'nvml', uuid: GPU, ...first },
    { word: 'nvml', uuid: OTHER, ...second },
    ...xids.map((xid) => ({ word: 'xid', ...xid })),
  ];
  return { devices: [{ uuid: GPU }, { uuid: OTHER }], entries };
}

/** The collector of a node with two GPUs, whose NVML is a fake. */
async function node(t: TestContext, first: Says, second: Says) {
  const fake = await fakeGpu(machine(first, second), [buildFakeNvml()]);
  const child = new ProbeChild({
    addonFile: addonPath({ test: false }),
    role: 'telemetry',
    env: fake.env,
    prelude: [],
  });
  const faults: LoudFault[] = [];
  const problems: [string, string | null][] = [];
  const collector = new TelemetryCollector({
    sensors: [GPU, OTHER].map((uuid) => new GpuSensors(uuid, child, { nvlink: true, pcie: true })),
    takeXids: () => takeXids(child),
    intervalMs: 10_000,
    clock: systemClock,
    send: async () => {},
    onFault: (fault) => faults.push(fault),
    onProblem: (deviceId, problem) => problems.push([deviceId, problem]),
    close: () => child.stop(),
  });
  t.after(async () => {
    await collector.stop();
    fake[Symbol.dispose]();
  });
  // NVML starts with the first question: that is not to count as an answer that takes long.
  assert.equal((await child.ask('gpuXids', null, PATIENCE_MS)).kind, 'answer');
  const say = (...next: Parameters<typeof machine>) => fake.configure(machine(...next));
  const temperatures = () => [GPU, OTHER].map((uuid) => collector.latest.latest(uuid)?.temperatureC);
  return { collector, child, faults, problems, say, temperatures };
}

test('a driver that hangs on one GPU costs its child, and the other GPUs are still read', needs, async (t) => {
  const { collector, child, problems, temperatures } = await node(
    t,
    { temperature: 50, hang: 'nvmlDeviceGetTemperature' },
    { temperature: 60 },
  );
  await collector.round();
  assert.deepEqual(temperatures(), [undefined, 60]);
  assert.equal(child.restarts, 1);
  assert.equal(problems[0]?.[0], GPU);
  assert.match(String(problems[0]?.[1]), /did not answer "gpuTelemetry" within 5000 ms/);
});

test('ECC errors, an Xid and a lost GPU are loud faults of their device', needs, async (t) => {
  const { collector, faults, say, temperatures } = await node(
    t,
    { temperature: 50, ecc_uncorrected_volatile_total: 1 },
    { temperature: 60 },
  );
  await collector.round();
  assert.equal(faults.length, 0);
  const xids = [{ uuid: OTHER, number: 48 }];
  say({ temperature: 51, ecc_uncorrected_volatile_total: 3 }, { temperature: 61 }, xids);
  // Who asks does not wait for sensors that a busy machine holds up.
  for (const uuid of [GPU, OTHER])
    await eventually(() => collector.recently(uuid), { what: `a fault of ${uuid}`, timeoutMs: PATIENCE_MS });
  say({ lost: 1 }, { temperature: 62 }, xids);
  await collector.round();
  assert.deepEqual(temperatures(), [51, 62]);
  const said: string[] = faults.map(({ kind, deviceId, detail }) => `${kind} ${deviceId}: ${detail}`);
  assert.deepEqual(said.slice(0, 2), [
    `xid ${OTHER}: Xid 48 on ${OTHER}`,
    `ecc ${GPU}: uncorrectable ECC errors: 2 more`,
  ]);
  assert.match(String(said[2]), /^lost GPU-1.*: GPU_IS_LOST$/);
  assert.equal(said.length, 3);
});
