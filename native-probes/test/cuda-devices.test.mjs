// Machines with several GPUs, with instances of them, and GPUs that are shared.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goldenCpus } from './addons.mjs';
import { fakeGpu } from './fake-gpu/index.mjs';
import { needsKernels } from './fake-gpu/needs.mjs';
import { callAddon, onGpu, open, UUID } from './fake-gpu/process.mjs';

const uuidOf = (kind, n) => `${kind}-00000000-1111-4222-8333-${String(n).padStart(12, '0')}`;
const execute = (sms) => ['gpuExecute', { family: 'fma32', epoch: 9, index: 1, sms, goldenCpus }];

test('a census of many GPUs makes no context and names each of them', needsKernels, async () => {
  const devices = Array.from({ length: 16 }, (_, n) => ({
    uuid: uuidOf('GPU', n),
    name: `NVIDIA H100 ${n}`,
    sms: 2 + n,
    cc: n % 2 === 0 ? '9.0' : '8.9',
    memory: (n + 1) * 2 ** 30,
    l2: 2 ** 20,
  }));
  const faults = [{ kind: 'call', call: 'cuCtxCreate_v2', abort: 1 }];
  using gpu = await fakeGpu({ devices, faults });
  const { outcomes, status } = await callAddon(gpu.env, [['gpuCensus']]);
  assert.equal(status, 0);
  const census = outcomes[0].returned;
  assert.equal(census.missing, null);
  assert.deepEqual(
    census.devices.map(({ uuid, name, smCount, computeCapability, architecture, memoryBytes, l2Bytes, missing }) => ({
      uuid,
      name,
      sms: smCount,
      cc: computeCapability.join('.'),
      architecture,
      memory: memoryBytes,
      l2: l2Bytes,
      missing,
    })),
    devices.map((device) => ({ ...device, architecture: device.cc === '9.0' ? 'sm_90a' : 'sm_89', missing: null })),
  );
});

test('the GPU that was asked for is the one that is tested', needsKernels, async () => {
  const devices = [1, 2, 3].map((n) => ({ uuid: uuidOf('GPU', n), sms: 1 + n }));
  const faults = [{ kind: 'wrong', device: 1, unit: 'f32', xor: 1, after: 'cuGraphLaunch' }];
  const digests = [];
  for (const [ordinal, device] of devices.entries()) {
    const sms = Array.from({ length: device.sms }, (_, sm) => sm);
    const [opened, report] = await onGpu({ devices, faults }, [execute(sms)], { uuid: device.uuid });
    assert.equal(opened.device.uuid, device.uuid);
    assert.deepEqual(opened.sms, sms);
    for (const { result } of report.results) assert.equal(result, ordinal === 1 ? 'FAIL' : 'PASS');
    digests.push(report.expectedDigest);
  }
  assert.equal(new Set(digests).size, 1, 'digests are comparable between GPUs');
});

test('a GPU that is not there is refused by its name', needsKernels, async () => {
  using gpu = await fakeGpu();
  const { outcomes } = await callAddon(gpu.env, [open({ uuid: uuidOf('GPU', 404) })]);
  assert.match(outcomes[0].thrown, new RegExp(`no device ${uuidOf('GPU', 404)}`));
});

test('an instance of a GPU is a device of its own', needsKernels, async () => {
  const devices = [{ uuid: uuidOf('MIG', 7), name: 'NVIDIA H100 80GB HBM3 MIG 1g.10gb', sms: 2 }];
  const [opened, report] = await onGpu({ devices }, [execute([0, 1])], { uuid: uuidOf('MIG', 7) });
  assert.equal(opened.device.uuid, uuidOf('MIG', 7));
  assert.deepEqual(
    report.results.map(({ result }) => result),
    ['PASS', 'PASS'],
  );
});

test('a GPU that is shared by MPS gets the small variant, and only then', needsKernels, async () => {
  for (const [attribute_133, variant] of [
    [1, 'small'],
    [0, 'full'],
  ]) {
    const [opened] = await onGpu({ devices: [{ sms: 2, attribute_133 }] }, [], { variant: 'auto' });
    assert.equal(opened.variant, variant);
  }
});

test('the cost of a context switch is what the interrupted loop took longer', needsKernels, async () => {
  // An interruption is one kernel of ours and two switches.
  const [opened] = await onGpu({ devices: [{ sms: 2, kernel_us: 120, switch_us: 40 }] }, []);
  assert.equal(opened.switchMeasured, true);
  assert.ok(Math.abs(opened.switchUs - 200) < 0.1, `${opened.switchUs} us`);
});

test('families that need more memory than is free are not available, the others run', needsKernels, async () => {
  const machine = { devices: [{ sms: 2, memory: 80 * 2 ** 20, l2: 50 * 2 ** 20 }] };
  const [opened, report] = await onGpu(machine, [execute([0, 1])]);
  assert.ok(opened.arenaBytes <= 64 * 2 ** 20);
  const hbm = opened.families.find(({ name }) => name === 'hbm');
  assert.equal(hbm.available, false);
  assert.ok(report.results.every(({ result }) => result === 'PASS'));
});

test('the fake names its first device as the tests do', needsKernels, async () => {
  using gpu = await fakeGpu();
  const { outcomes } = await callAddon(gpu.env, [['gpuCensus']]);
  assert.equal(outcomes[0].returned.devices[0].uuid, UUID);
});
