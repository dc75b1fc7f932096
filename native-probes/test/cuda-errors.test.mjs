// A driver that is missing, refuses, hangs or crashes: every result says so, none is a PASS.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goldenCpus } from './addons.mjs';
import { fakeGpu } from './fake-gpu/index.mjs';
import { needsKernels } from './fake-gpu/needs.mjs';
import { callAddon, onGpu, open } from './fake-gpu/process.mjs';

const SMS = [0, 1];
const device = { sms: SMS.length };
const execute = (index = 1) => ['gpuExecute', { family: 'fma32', epoch: 3, index, sms: SMS, goldenCpus }];

/** What gpuOpen throws on a machine with this fault. */
async function refusal(fault) {
  using gpu = await fakeGpu({ devices: [device], faults: [fault] });
  const { outcomes, status } = await callAddon(gpu.env, [open()]);
  assert.equal(status, 0);
  return outcomes[0].thrown;
}

test('without libcuda.so.1 the addon loads and says that there is no CUDA', async () => {
  const { outcomes, status } = await callAddon({}, [['gpuCensus'], open(), execute()]);
  assert.equal(status, 0);
  const [census, opened, executed] = outcomes;
  assert.deepEqual(census.returned.devices, []);
  assert.match(census.returned.missing, /libcuda\.so\.1/);
  assert.match(opened.thrown, /libcuda\.so\.1/);
  assert.match(executed.thrown, /no device is open/);
});

test('an error of the driver is named, with the call that returned it', needsKernels, async () => {
  const cases = [
    [{ kind: 'call', call: 'cuInit', error: 803 }, /cuInit: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH/],
    [{ kind: 'call', call: 'cuCtxCreate_v2', error: 46 }, /cuCtxCreate_v2: CUDA_ERROR_DEVICE_UNAVAILABLE/],
    [{ kind: 'call', call: 'cuMemAlloc_v2', error: 2 }, /cuMemAlloc_v2: CUDA_ERROR_OUT_OF_MEMORY/],
    [{ kind: 'call', call: 'cuModuleLoadData', error: 209 }, /cuModuleLoadData: CUDA_ERROR_NO_BINARY_FOR_GPU/],
    [{ kind: 'call', call: 'cuMemHostAlloc', error: 2 }, /cuMemHostAlloc: CUDA_ERROR_OUT_OF_MEMORY/],
    [{ kind: 'call', call: 'cuStreamCreateWithPriority', error: 12345 }, /cuStreamCreateWithPriority: error 12345/],
  ];
  for (const [fault, expected] of cases) assert.match(await refusal(fault), expected);
});

test('a device that no embedded kernel fits is refused with the reason', needsKernels, async () => {
  using gpu = await fakeGpu({ devices: [{ cc: '7.5' }] });
  const { outcomes } = await callAddon(gpu.env, [['gpuCensus'], open()]);
  assert.match(outcomes[0].returned.devices[0].missing, /no kernels for compute capability 7\.5/);
  assert.match(outcomes[1].thrown, /no kernels for compute capability 7\.5/);
});

/** Results and reasons of two executions, the fault being in the way of the first. */
async function executeTwice(faults) {
  const [, ...reports] = await onGpu({ devices: [device], faults }, [execute(1), execute(2)]);
  return reports.map(({ results }) => results.map(({ sm, result, reason }) => ({ sm, result, reason })));
}

test('a launch that fails is an ERROR with its name, and the context is not used again', needsKernels, async () => {
  const lost = { kind: 'call', call: 'cuGraphLaunch', error: 719, sticky: 1 };
  const [first, second] = await executeTwice([lost]);
  for (const { result, reason } of first) {
    assert.equal(result, 'ERROR');
    assert.match(reason, /cuGraphLaunch: CUDA_ERROR_LAUNCH_FAILED/);
  }
  for (const { result, reason } of second) {
    assert.equal(result, 'ERROR');
    assert.match(reason, /must be reopened/);
  }
});

test('results of a majority that cannot be fetched are an ERROR', needsKernels, async () => {
  // All other copies are part of the graph.
  const fault = { kind: 'call', call: 'cuMemcpyDtoHAsync_v2', error: 719, after: 'cuGraphLaunch' };
  const sms = [0, 1, 2];
  const call = ['gpuExecute', { family: 'sfu', epoch: 3, index: 1, sms, goldenCpus }];
  const [, { results }] = await onGpu({ devices: [{ sms: sms.length }], faults: [fault] }, [call]);
  for (const { result, reason } of results) {
    assert.equal(result, 'ERROR');
    assert.match(reason, /cuMemcpyDtoHAsync_v2: CUDA_ERROR_LAUNCH_FAILED/);
  }
});

test('a kernel that never ends is an ERROR within the deadline, and so is what follows', needsKernels, async () => {
  using gpu = await fakeGpu({ devices: [device], faults: [{ kind: 'hang', after: 'cuGraphLaunch' }] });
  const { outcomes, status } = await callAddon(gpu.env, [open(), execute(1), execute(2)]);
  assert.equal(status, 0, 'the process can end all the same');
  assert.equal(outcomes.length, 3);
  assert.deepEqual(
    outcomes[1].returned.results.map(({ result, reason }) => [result, reason]),
    SMS.map(() => ['ERROR', 'the kernel did not end']),
  );
  assert.deepEqual(
    outcomes[2].returned.results.map(({ result }) => result),
    SMS.map(() => 'ERROR'),
  );
});

test('a driver that hangs holds the child, which its parent ends', needsKernels, async () => {
  const calls = ['cuInit', 'cuCtxCreate_v2', 'cuMemcpyDtoHAsync_v2', 'cuGraphLaunch'];
  const hold = async (call) => {
    using gpu = await fakeGpu({ devices: [device], faults: [{ kind: 'call', call, hang: 1 }] });
    return await callAddon(gpu.env, [open(), execute()], { deadlineMs: 5_000 });
  };
  for (const { outcomes, signal } of await Promise.all(calls.map(hold))) {
    assert.equal(signal, 'SIGKILL');
    assert.ok(outcomes.length < 2);
  }
});

test('a driver that crashes takes the child alone with it', needsKernels, async () => {
  using gpu = await fakeGpu({ devices: [device], faults: [{ kind: 'call', call: 'cuGraphLaunch', abort: 1 }] });
  const { outcomes, signal } = await callAddon(gpu.env, [open(), execute()]);
  assert.equal(signal, 'SIGABRT');
  assert.equal(outcomes.length, 1);
});
