import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GpuOpened, KnownAnswerResult } from '@sentinel/native-probes';
import type { ChildReply } from '../probe-child/probe-child.js';
import { gpuFamily, gpuReport, openedGpu, seenGpu } from '../testing/gpu-samples.js';
import { GpuDevice } from './gpu-device.js';

const SEEN = seenGpu('GPU-a');
const REQUEST = { family: 'fma32' as const, epoch: 1, index: 0, sms: [0, 2], goldenCpus: [0, 1] as [number, number] };

function answers(failing: Readonly<Record<string, readonly number[]>> = {}): (KnownAnswerResult & { sm: number })[] {
  return (['fma32', 'smem'] as const).flatMap((family) =>
    [0, 2, 4, 6].map((sm) => {
      const passed = !(failing[family] ?? []).includes(sm);
      return { sm, family, passed, result: passed ? 'PASS' : 'FAIL', reason: null, executed: 3, firstBad: null };
    }),
  );
}

/** A child that opens the GPU as its first question does, and answers what it is told to. */
function gpu(quorum = 0.5) {
  const told: string[] = [];
  const replaced: string[] = [];
  const child = {
    known: { kind: 'answer', value: answers() } as ChildReply<ReturnType<typeof answers>>,
    report: gpuReport([0, 2]),
    ask: async (call: string) => (call === 'gpuExecute' ? { kind: 'answer', value: child.report } : child.known),
    replace: (detail: string) => void replaced.push(detail),
  };
  const device = new GpuDevice({ seen: SEEN, child: child as never, selfTestQuorum: quorum, bootId: 'boot-1' });
  device.onChange = (detail) => void told.push(detail);
  const open = (fields: Partial<GpuOpened> = {}) => device.prelude({ answers: [openedGpu(SEEN, fields)] });
  return { device, child, told, replaced, open };
}

test('until it opens it is described as the census saw it, with every family a GPU can have', async () => {
  const { device, child, told } = gpu();
  child.known = { kind: 'timeout', reason: 'hung' };
  const reply = await device.execute(REQUEST, 100);
  assert.deepEqual(reply, { kind: 'timeout', reason: 'hung' });
  assert.deepEqual(device.sms, [0, 1, 2, 3]);
  assert.ok(device.families.includes('fma32') && device.families.every((family) => !family.startsWith('cpu_')));
  assert.deepEqual([device.describe().note, device.describe().families, told], ['sm_90a; not opened', [], []]);
});

test('one that answers late says so once, and is what it is from then on', async () => {
  const { device, child, told, open } = gpu();
  child.known = { kind: 'timeout', reason: 'hung' };
  await device.selfTest();
  child.known = { kind: 'answer', value: answers() };
  open();
  assert.equal((await device.execute(REQUEST, 100)).kind, 'answer');
  assert.deepEqual([told, device.sms, device.families], [['answers now'], [0, 2, 4, 6], ['fma32', 'smem']]);
});

test('hello tells model, driver, serial, architecture and how many SMs passed the known answers', async () => {
  const { device, child, open } = gpu();
  child.known = { kind: 'answer', value: answers({ smem: [4] }) };
  open();
  await device.selfTest();
  const { model, vendor, driverVersion, vbiosVersion, cudaVersion, serial, note, sms, families } = device.describe();
  assert.deepEqual(
    [model, vendor, driverVersion, vbiosVersion, cudaVersion, serial, note],
    ['NVIDIA H100', 'NVIDIA', '535.183.01', '96.00.74.00.01', '12.2', '1650', 'sm_90a'],
  );
  assert.deepEqual(sms, [0, 2, 4, 6]);
  assert.deepEqual(
    families.map(({ selfTestSmsRun, selfTestSmsPassed }) => [selfTestSmsRun, selfTestSmsPassed]),
    [
      [4, 4],
      [4, 3],
    ],
  );
});

test('a MIG instance names its GPU and the boot that numbers its SMs', () => {
  const { open } = gpu();
  open();
  const seen = seenGpu('MIG-1', { parentUuid: 'GPU-a' });
  const device = new GpuDevice({ seen, child: {} as never, selfTestQuorum: 0.5, bootId: 'boot-1' });
  assert.match(device.describe().note, /MIG instance of GPU-a, SMs numbered by boot boot-1/);
});

test('a family that fewer than half of the SMs reproduce is not scheduled, and why is said; half are enough', async () => {
  const { device, child, open } = gpu();
  child.known = { kind: 'answer', value: answers({ fma32: [0, 2], smem: [0, 2, 4] }) };
  open({
    families: [gpuFamily('fma32'), gpuFamily('smem'), gpuFamily('hbm', { available: false, missing: 'memory' })],
  });
  await device.selfTest();
  assert.deepEqual(device.families, ['fma32']);
  assert.deepEqual(device.notScheduled, [
    { family: 'smem', reason: 'only 1 of 4 SMs reproduce its known answers', failedSelfTest: true },
    { family: 'hbm', reason: 'memory', failedSelfTest: false },
  ]);
});

test('a family whose kernel does not fit the silicon (INCONCLUSIVE everywhere) is not scheduled either', async () => {
  const { device, child, open } = gpu();
  const known = answers().map((answer) =>
    answer.family === 'smem' ? { ...answer, passed: false, result: 'INCONCLUSIVE' as const } : answer,
  );
  child.known = { kind: 'answer', value: known };
  open();
  await device.selfTest();
  assert.deepEqual(device.families, ['fma32']);
  assert.match(device.notScheduled[0]?.reason ?? '', /only 0 of 4 SMs/);
});

test('the GPU pays with its own time, and CPU time of goldens is kept apart', async () => {
  const { device, open } = gpu();
  open();
  const reply = await device.execute(REQUEST, 100);
  assert.ok(reply.kind === 'answer');
  assert.deepEqual(reply.value.charges, [{ unit: 0, us: 212 }]);
  assert.deepEqual(reply.value.goldenCharges, [
    { unit: 0, us: 900 },
    { unit: 1, us: 950 },
  ]);
});

test('a context that only gives errors is replaced by a new process', async () => {
  const { device, child, open, replaced } = gpu();
  open();
  child.report = gpuReport([0, 2], 'ERROR');
  await device.execute(REQUEST, 100);
  assert.deepEqual(replaced, ['GPU-a: CUDA error 719']);
});

test('a device that vanishes is told once, and so is its return and a change of its SMs', async () => {
  const { device, told, open } = gpu();
  open();
  for (let tries = 0; tries < 3; tries += 1) device.prelude({ refused: 'gpuOpen', refusal: 'no such device' });
  open();
  open();
  open({ sms: [0, 2, 4] });
  assert.deepEqual(told, ['cannot be opened: no such device', 'is back', 'shows other SMs']);
});

test('a fault that the opened GPU cannot have ends the self-test', async () => {
  const { device, child } = gpu();
  device.prelude({ refused: 'inject', refusal: 'inject: sm: no SM 9 on GPU-a; there are 0, 2' });
  child.known = { kind: 'unprepared', reason: 'refused' };
  const message = '--inject: sm: no SM 9 on GPU-a; there are 0, 2';
  await assert.rejects(device.selfTest(), { code: 'INVALID_ARGUMENT', message });
});
