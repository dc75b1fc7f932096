import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seenGpu } from '../testing/gpu-samples.js';
import { selectGpus } from './select-gpus.js';

const ALL = { auto_detect: true, gpu_uuids: [], exclude_gpu_uuids: [] };
const CENSUS = [
  seenGpu('GPU-a'),
  seenGpu('GPU-b'),
  seenGpu('GPU-old', { architecture: null, missing: 'sm_61 is too old' }),
];
const ids = (discovery: typeof ALL, known: readonly string[] = []) => {
  const { tested, left } = selectGpus(CENSUS, discovery, known);
  return [tested.map(({ uuid }) => uuid), left.map(({ id }) => id)];
};

test('every GPU that has kernels is tested, and the others are named', () => {
  assert.deepEqual(ids(ALL), [['GPU-a', 'GPU-b'], ['GPU-old']]);
});

test('excluded GPUs are neither tested nor missed', () => {
  assert.deepEqual(ids({ ...ALL, exclude_gpu_uuids: ['GPU-a', 'GPU-old'] as never }), [['GPU-b'], []]);
});

test('without detection the listed ones are tested, and one that is not there is missed', () => {
  const discovery = { ...ALL, auto_detect: false, gpu_uuids: ['GPU-b', 'GPU-z'] as never };
  assert.deepEqual(ids(discovery), [['GPU-b'], ['GPU-z']]);
});

test('a GPU that was here at the last start and is gone is missed', () => {
  assert.deepEqual(ids(ALL, ['GPU-a', 'GPU-gone']), [
    ['GPU-a', 'GPU-b'],
    ['GPU-old', 'GPU-gone'],
  ]);
});
