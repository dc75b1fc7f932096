import assert from 'node:assert/strict';
import { test } from 'node:test';
import { driverEnv, gpuEnv } from './child-env.js';

const ENV = {
  PATH: '/bin',
  LD_LIBRARY_PATH: '/usr/local/cuda/lib64',
  LD_PRELOAD: '/tmp/x.so',
  CUDA_VISIBLE_DEVICES: '0,1',
  CUDA_MPS_PIPE_DIRECTORY: '/tmp/mps',
  NVIDIA_VISIBLE_DEVICES: 'all',
  SENTINEL_PROBE_AGENT_HMAC_KEY: 'secret',
};

test('a child hears what the driver needs and nothing else', () => {
  assert.deepEqual(Object.keys(driverEnv(ENV)), [
    'LD_LIBRARY_PATH',
    'CUDA_VISIBLE_DEVICES',
    'CUDA_MPS_PIPE_DIRECTORY',
    'NVIDIA_VISIBLE_DEVICES',
  ]);
});

test('the child of a GPU sees that one alone', () => {
  assert.equal(gpuEnv(ENV, 'GPU-a')['CUDA_VISIBLE_DEVICES'], 'GPU-a');
});
