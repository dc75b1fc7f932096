import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Devices } from './devices.js';

const devices = (gpu_uuids: string[] = [], rank_device_map: Record<string, string> = {}) =>
  new Devices(() => ({ node_name: 'n', gpu_uuids, rank_device_map }));

test('a worker computes where the server says, else where the configuration says', () => {
  const made = devices(['A', 'B'], { 0: 'X', 2: 'C' });
  assert.deepEqual(made.all({ gpus: ['', 'GPU-1'] }), ['A', 'GPU-1', 'C']);
  assert.deepEqual(made.of({ gpus: ['', 'GPU-1'] }, 'all'), ['A', 'GPU-1', 'C']);
  assert.deepEqual(made.of({ gpus: [] }, [1]), ['B']);
});

test('where one that is meant is not known none is named, rather than the others', () => {
  assert.deepEqual(devices().of({ gpus: ['GPU-0', ''] }, 'all'), []);
  assert.deepEqual(devices().of({ gpus: ['GPU-0', ''] }, [0]), ['GPU-0']);
  assert.deepEqual(devices().of({ gpus: [] }, [3]), []);
});

test('workers on one device are one device', () => {
  assert.deepEqual(devices().of({ gpus: ['GPU-0', 'GPU-0'] }, 'all'), ['GPU-0']);
});
