import assert from 'node:assert/strict';
import { test } from 'node:test';
import { campaign } from './options.js';

test('all of it, half of the time with each history', () => {
  const { seed, legs } = campaign([], 5);
  assert.equal(seed, 5);
  assert.deepEqual(
    legs.map(({ history, faults, overMs, outages }) => [history, faults, overMs, outages]),
    [
      ['cassandra', 150, 900_000, 2],
      ['files', 150, 900_000, 2],
    ],
  );
});

test('a slice, and what is asked for', () => {
  assert.deepEqual(campaign(['--quick', '--seed', '9'], 5), {
    seed: 9,
    legs: [{ history: 'files', faults: 20, overMs: 30_000, outages: 0, disks: true }],
  });
  const { legs } = campaign(['--faults', '31', '--minutes', '2', '--history', 'cassandra', '--without-disks'], 5);
  assert.deepEqual(legs, [{ history: 'cassandra', faults: 31, overMs: 120_000, outages: 4, disks: false }]);
});

test('what cannot be is said', () => {
  assert.throws(() => campaign(['--faults', 'many'], 1), /--faults: many is no number/);
  assert.throws(() => campaign(['--history', 'redis'], 1), /neither files nor cassandra/);
  assert.throws(() => campaign(['--fast'], 1), /--fast/);
});
