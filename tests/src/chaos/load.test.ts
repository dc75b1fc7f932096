import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionOf, load } from './load.js';

const RECORDS = 100;
const failing = (agent: number): number[] =>
  Array.from({ length: RECORDS }, (_, index) => index + 1).filter((sequence) =>
    load(1, agent, sequence).some(({ fails }) => fails !== undefined),
  );

test('what an agent reports is the same for the same seed', () => {
  assert.deepEqual(load(1, 2, 3), load(1, 2, 3));
  const all = (seed: number) => Array.from({ length: RECORDS }, (_, index) => load(seed, 2, index + 1));
  assert.notDeepEqual(all(1), all(2));
});

test('a sound device never fails, a passing fault shows once, a defect again and again', () => {
  assert.deepEqual([0, 1, 2].map(conditionOf), ['sound', 'passing-fault', 'defective']);
  assert.deepEqual(failing(0), []);
  assert.deepEqual(failing(1), [12]);
  assert.deepEqual(failing(2).slice(0, 5), [20, 21, 22, 28, 35]);
});
