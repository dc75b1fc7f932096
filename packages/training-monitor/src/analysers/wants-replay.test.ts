import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from './finding.js';
import { wantsReplay } from './wants-replay.js';

const spike: Finding = {
  ...{ type: 'LOSS_SPIKE', detector: 'loss', severity: 'WARNING', ranks: [0, 1] },
  ...{ step: 5, timeUs: 5, value: 9, limit: 8, detail: '' },
};
const compared = { answers: [], agreedBefore: 1, asked: false };

test('what a whole job or one rank shows without a comparison wants a replay', () => {
  assert.ok(wantsReplay(spike));
  assert.ok(wantsReplay({ ...spike, detector: 'plateau', severity: 'INFO' }));
  assert.ok(wantsReplay({ ...spike, detector: 'product-checksum', ranks: [1] }));
});

test('a tie of replicas wants one; a replica that was outvoted does not, nor does a replay', () => {
  assert.ok(wantsReplay({ ...spike, type: 'REPLICA_MISMATCH', detector: 'replica', compared }));
  assert.ok(!wantsReplay({ ...spike, type: 'REPLICA_MISMATCH', detector: 'replica', ranks: [1], compared }));
  assert.ok(!wantsReplay({ ...spike, type: 'REPLAY_MISMATCH', detector: 'replay', compared }));
});

test('settings and files want none', () => {
  assert.ok(!wantsReplay({ ...spike, detector: 'setting' }));
  assert.ok(!wantsReplay({ ...spike, detector: 'checkpoint-size' }));
});
