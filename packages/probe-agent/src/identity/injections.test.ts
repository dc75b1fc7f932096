import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withGpuIds } from './injections.js';

const GPUS = ['GPU-a', 'GPU-b', 'GPU-c'];

test('a place among the GPUs becomes an id; other faults and ids stay as they are', () => {
  const specs = ['gpu=1,sm=2,family=fma32', 'family=fma32,gpu=GPU-c', 'gpu=all,family=sfu', 'core=1,family=fma32'];
  assert.deepEqual(withGpuIds(specs, GPUS, GPUS), [
    'gpu=GPU-b,sm=2,family=fma32',
    'family=fma32,gpu=GPU-c',
    'gpu=all,family=sfu',
    'core=1,family=fma32',
  ]);
});

test('a GPU that is not tested is refused, with those that are', () => {
  for (const named of ['3', 'GPU-d', '0', 'GPU-a', '']) {
    assert.throws(() => withGpuIds([`gpu=${named},family=fma32`], GPUS, ['GPU-b', 'GPU-c']), {
      code: 'INVALID_ARGUMENT',
      message: `--inject: gpu: no GPU ${named} is tested here; there are 1 (GPU-b), 2 (GPU-c)`,
    });
  }
  for (const named of ['0', 'all']) {
    assert.throws(() => withGpuIds([`gpu=${named},family=fma32`], GPUS, []), {
      message: '--inject: gpu: no GPU is tested here',
    });
  }
});
