import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ProbeFamily, ProbeResult } from '@sentinel/contracts/sentinel/v1/common.js';
import {
  type AgentEvent,
  AgentEvent_Kind as Kind,
  type ProbeBatch,
  type TelemetrySample,
} from '@sentinel/contracts/sentinel/v1/probe.js';
import { type FakeMachine, fakeGpu } from '@sentinel/native-probes/fake-gpu';
import { needsKernels } from '@sentinel/native-probes/fake-gpu/needs';
import { buildFakeNvml } from '@sentinel/native-probes/fake-nvml';
import { AgentProcess, TEST_KEY } from './testing/agent-process.js';
import { EngineStub } from './testing/engine-stub.js';
import { temporaryFolder } from './testing/folder.js';
import { until } from './testing/until.js';

const root = temporaryFolder();
const uuid = (digit: string) => `GPU-${digit}1111111-2222-3333-4444-555555555555`;
const [HEALTHY, UNSTEADY, FAULTY] = [uuid('a'), uuid('b'), uuid('c')];
const device = (id: string) => ({ uuid: id, name: 'Fake A100', cc: '8.0', sms: 2 });
const MACHINE: FakeMachine = {
  devices: [HEALTHY, UNSTEADY, FAULTY].map(device),
  faults: [{ kind: 'wrong', device: 2, sm: 1, subpartition: 2, unit: 'f32' }],
};

/** What NVML says of the machine. */
function sensors(unsteady: Record<string, string | number>, ...more: NonNullable<FakeMachine['entries']>): FakeMachine {
  const says = [
    { uuid: HEALTHY, temperature: 61 },
    { uuid: UNSTEADY, ...unsteady },
  ];
  return { ...MACHINE, entries: [...says.map((each) => ({ word: 'nvml', ...each })), ...more] };
}

/** The driver of a fake GPU is an interpreter: its known answers take long on a busy machine. */
const OPEN_MS = 240_000;
/** A child that does not answer for so long hangs; meanwhile a busy machine has time to run the probes of others. */
const HANG_MS = 30_000;

function batches(engine: EngineStub): ProbeBatch[] {
  return [...engine.distinct().values()].flatMap(({ payload: { body } }) =>
    body?.$case === 'probeBatch' ? [body.value] : [],
  );
}

function events(engine: EngineStub, kind: Kind, deviceId: string): AgentEvent[] {
  return [...engine.distinct().values()]
    .flatMap(({ payload: { body } }) => (body?.$case === 'events' ? body.value.events : []))
    .filter((event) => event.kind === kind && event.deviceId === deviceId);
}

/** The first sample of a device. */
function sample(engine: EngineStub, id: string): TelemetrySample | undefined {
  return [...engine.distinct().values()]
    .flatMap(({ payload: { body } }) => (body?.$case === 'telemetry' ? body.value.samples : []))
    .find(({ deviceId }) => deviceId === id);
}

/** SMs of one device that ran to a result, all runs together. */
function ran(engine: EngineStub, id: string): number {
  return batches(engine).reduce(
    (sum, batch) =>
      sum + batch.smsRun.reduce((a, b, row) => a + (batch.deviceIds[batch.deviceIndex[row] ?? 0] === id ? b : 0), 0),
    0,
  );
}

function outcomes(engine: EngineStub, id: string): ProbeResult[] {
  return batches(engine).flatMap((batch) =>
    batch.outcomes.filter(({ run }) => batch.deviceIds[batch.deviceIndex[run] ?? 0] === id).map(({ result }) => result),
  );
}

/** The child that a GPU is open in. */
function childOf(agentPid: number, id: string): number {
  const pids = readFileSync(`/proc/${agentPid}/task/${agentPid}/children`, 'utf8').trim().split(' ');
  const found = pids.find((pid) =>
    readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`CUDA_VISIBLE_DEVICES=${id}`),
  );
  assert.ok(found !== undefined, `no child of ${id}`);
  return Number(found);
}

test('each GPU has its own child and loop: one that hangs, dies or goes delays no other, and a faulty SM is found', {
  timeout: 600_000,
  ...needsKernels,
}, async (t) => {
  using gpu = await fakeGpu(sensors({ temperature: 40, ecc_uncorrected_volatile_total: 0 }), [buildFakeNvml()]);
  const engine = new EngineStub(TEST_KEY);
  await engine.start();
  const agent = new AgentProcess(mkdtempSync(join(root, 'agent-')));
  t.after(async () => {
    await agent.end('SIGKILL');
    await engine.stop();
  });
  const schedule = join(agent.folder, 'schedule.yaml');
  const line = `{ type: FMA, period_seconds: 2, sm_coverage: 0.5, priority: 1, enabled: true, timeout_ms: ${HANG_MS} }`;
  writeFileSync(schedule, `name: test\noverhead_budget_pct: 5\nprobes:\n  - ${line}\n`);
  const config = { correlation_engine_endpoint: engine.address, backend: 'cuda', schedule_file: schedule };
  agent.start({ ...config, telemetry: { collection_interval_s: 1 } }, { env: gpu.env });

  await until('results of all', OPEN_MS, () => [HEALTHY, UNSTEADY, FAULTY].every((id) => ran(engine, id) >= 2));
  const hello = await until('a hello with all known answers', OPEN_MS, () =>
    engine.hellos.findLast(({ devices }) => devices.every(({ families }) => families.length > 0)),
  );
  const described = hello.devices.find(({ id }) => id === FAULTY);
  assert.deepEqual(
    [described?.model, described?.vendor, described?.sms, described?.note],
    ['Fake A100', 'NVIDIA', [0, 1], 'sm_80'],
  );
  const fma32 = described?.families.find(({ family }) => family === ProbeFamily.FMA32);
  assert.deepEqual([fma32?.selfTestSmsRun, fma32?.selfTestSmsPassed], [2, 1]);
  assert.equal(events(engine, Kind.SELF_TEST_FAILED, FAULTY).length > 0, true);
  assert.equal(events(engine, Kind.SELF_TEST_FAILED, HEALTHY).length, 0);

  const wrong = await until('the wrong result', 60_000, () => {
    const all = batches(engine).flatMap((batch) =>
      batch.mismatches.map((detail) => ({ detail, id: batch.deviceIds[batch.deviceIndex[detail.run] ?? 0] })),
    );
    assert.ok(all.every(({ id, detail }) => id === FAULTY && detail.sm === 1));
    return all[0]?.detail;
  });
  assert.deepEqual(
    [wrong.subPartition, wrong.withinIterations, wrong.siblingsRun, wrong.siblingsPassed],
    [2, 32, 1, 1],
  );

  const temperature = await until('telemetry', 30_000, () => sample(engine, HEALTHY)?.values['temperature_c']);
  assert.equal(temperature, 61);
  gpu.configure(
    sensors({ temperature: 40, ecc_uncorrected_volatile_total: 2 }, { word: 'xid', uuid: HEALTHY, number: 79 }),
  );
  const loud = (id: string) => events(engine, Kind.LOUD_FAULT, id)[0]?.detail;
  assert.equal(await until('the Xid', 30_000, () => loud(HEALTHY)), `Xid 79 on ${HEALTHY}`);
  assert.equal(await until('the ECC errors', 30_000, () => loud(UNSTEADY)), 'uncorrectable ECC errors: 2 more');

  gpu.configure(sensors({ temperature: 40, hang: 'nvmlDeviceGetTemperature' }));
  const meanwhile = ran(engine, UNSTEADY);
  await agent.line(
    'silent sensors',
    60_000,
    ({ msg, device }) => msg.startsWith('no telemetry') && device === UNSTEADY,
  );
  // It hangs on.
  await until('results of a GPU whose NVML hangs', 60_000, () => ran(engine, UNSTEADY) > meanwhile);
  // A child that hung in the driver as the agent is killed would outlive it, and hold its output open.
  gpu.configure(sensors({ temperature: 40 }));

  // On a busy machine a child may have taken longer than it has before.
  const hung = () => events(engine, Kind.CHILD_TIMEOUT, UNSTEADY).length;
  const timeouts = () => outcomes(engine, UNSTEADY).filter((result) => result === ProbeResult.TIMEOUT).length;
  const earlier = { hung: hung(), timeouts: timeouts() };
  process.kill(childOf(agent.pid, UNSTEADY), 'SIGSTOP');
  const before = ran(engine, HEALTHY);
  await until('results of the others', 60_000, () => ran(engine, HEALTHY) > before);
  assert.equal(timeouts(), earlier.timeouts, 'meanwhile it hangs');
  await until('timeouts', 120_000, () => timeouts() > earlier.timeouts);
  await until('its event', 60_000, () => hung() > earlier.hung);
  let passes = ran(engine, UNSTEADY);
  await until('passes of the reopened GPU', 60_000, () => ran(engine, UNSTEADY) > passes);

  gpu.configure({ ...MACHINE, devices: [HEALTHY, FAULTY].map(device) });
  process.kill(childOf(agent.pid, UNSTEADY), 'SIGKILL');
  await until('its crash', 30_000, () => events(engine, Kind.CHILD_CRASHED, UNSTEADY).length > 0);
  const [gone] = await until('it is gone', 60_000, () => {
    const changed = events(engine, Kind.DEVICE_CHANGED, UNSTEADY);
    return changed.length > 0 && changed;
  });
  assert.match(gone?.detail ?? '', /cannot be opened/);
  await until('NOT_RUN', 30_000, () => outcomes(engine, UNSTEADY).includes(ProbeResult.NOT_RUN));
  gpu.configure(MACHINE);
  passes = ran(engine, UNSTEADY);
  await until('it is back', 120_000, () => ran(engine, UNSTEADY) > passes);
  assert.match(events(engine, Kind.DEVICE_CHANGED, UNSTEADY).at(-1)?.detail ?? '', /is back/);

  engine.send({ $case: 'pause', value: { devices: [{ deviceId: HEALTHY, untilUs: 0n, reason: 'riser swap' }] } });
  await until('the pause', 60_000, () =>
    events(engine, Kind.DEVICE_CHANGED, HEALTHY).some(({ detail }) => detail.includes('is paused: riser swap')),
  );
  const metrics = await agent.ready();
  const text = await (await fetch(`http://${metrics}/metrics`)).text();
  assert.match(text, /sentinel_agent_connected_gpus 3/);
  assert.match(text, /sentinel_agent_paused_devices 1/);
  const { devices } = (await (await fetch(`http://${metrics}/coverage`)).json()) as {
    devices: { device: string; families: { family: string; dueSeconds: number; ages: { sm: number }[] }[] }[];
  };
  const covered = devices.find((entry) => entry.device === HEALTHY)?.families.find(({ family }) => family === 'fma32');
  assert.deepEqual([covered?.dueSeconds, covered?.ages.map(({ sm }) => sm)], [2, [0, 1]], 'a launch covers every SM');
  assert.deepEqual(engine.violations, []);
});

test('an injected fault is found in its SM, sub-partition and lane, on its GPU alone; other children take it silently', {
  timeout: 300_000,
  ...needsKernels,
}, async (t) => {
  using gpu = await fakeGpu({ devices: [HEALTHY, FAULTY].map(device) });
  const engine = new EngineStub(TEST_KEY);
  await engine.start();
  const agent = new AgentProcess(mkdtempSync(join(root, 'inject-')));
  t.after(async () => {
    await agent.end('SIGKILL');
    await engine.stop();
  });
  const schedule = join(agent.folder, 'schedule.yaml');
  const line = '{ type: FMA, period_seconds: 2, sm_coverage: 0.5, priority: 1, enabled: true, timeout_ms: 5000 }';
  writeFileSync(schedule, `name: test\noverhead_budget_pct: 5\nprobes:\n  - ${line}\n`);
  const inject = 'gpu=1,sm=0,sub-partition=3,lane=21,family=fma32;core=0,family=fma32';
  const config = { correlation_engine_endpoint: engine.address, backend: 'cuda', schedule_file: schedule };
  agent.start(config, { inject, env: gpu.env });
  const wrong = await until('mismatches', OPEN_MS, () => {
    const all = batches(engine).flatMap((batch) =>
      batch.mismatches.map((detail) => ({ detail, id: batch.deviceIds[batch.deviceIndex[detail.run] ?? 0] })),
    );
    return ran(engine, HEALTHY) >= 2 && all.length >= 2 && all;
  });
  for (const { id, detail } of wrong)
    assert.deepEqual([id, detail.sm, detail.subPartition, detail.lane], [FAULTY, 0, 3, 21]);
  assert.ok([...engine.distinct().values()].every(({ payload }) => payload.testBuild));
  await agent.line('what was injected', 60_000, ({ msg }) => msg === 'first injected wrong result');
  assert.equal(await agent.end('SIGTERM'), 0);
});

test('an SM that an injected fault names and the GPU does not have ends the start with status 2', {
  timeout: 120_000,
  ...needsKernels,
}, async () => {
  using gpu = await fakeGpu({ devices: [device(HEALTHY)] });
  const agent = new AgentProcess(mkdtempSync(join(root, 'no-sm-')));
  const child = agent.start({ backend: 'cuda' }, { inject: 'gpu=0,sm=9,family=fma32', env: gpu.env });
  await new Promise((resolve) => child.once('close', resolve));
  assert.equal(child.exitCode, 2);
  const sentence = `--inject: sm: no SM 9 on ${HEALTHY}; there are 0, 1`;
  assert.ok(agent.lines.some(({ level, msg }) => level === 'fatal' && msg === sentence));
});

test('cuda without a GPU is status 78 and says why', { ...needsKernels, timeout: 60_000 }, async () => {
  using gpu = await fakeGpu({ devices: [] });
  const agent = new AgentProcess(mkdtempSync(join(root, 'none-')));
  const child = agent.start({ backend: 'cuda' }, { env: gpu.env });
  await new Promise((resolve) => child.once('close', resolve));
  assert.equal(child.exitCode, 78);
  assert.match(agent.stderr, /probe_agent\.backend: cuda needs a GPU: .+/);
});
