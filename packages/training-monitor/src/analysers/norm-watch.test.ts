import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '@sentinel/monitor-kit/testing/random';
import { shippedLimits } from '../bench/support/limits.js';
import { NormWatch } from './norm-watch.js';

const PROBABILITY = 1e-7;
const STEPS = 3_000;
const MOMENT = { step: 1, timeUs: 1 };

function watch(): NormWatch {
  return new NormWatch(shippedLimits().gradient_norm, PROBABILITY);
}

const norm = (random: Random, level = 2) => level * Math.exp(0.1 * random.normal());

test('a norm that jumps or vanishes is a spike of the job', () => {
  for (const jump of [1e6, 0]) {
    const random = new Random(4);
    const norms = watch();
    for (let k = 0; k < STEPS; k += 1) assert.deepEqual(norms.global(norm(random), [0, 1], MOMENT), []);
    const [found] = norms.global(jump, [0, 1], MOMENT);
    assert.deepEqual([found?.detector, found?.severity, found?.ranks], ['gradient-norm', 'CRITICAL', [0, 1]]);
  }
});

test('what all ranks do at once names none, one rank alone is named, and only ranks that are judged', () => {
  const random = new Random(5);
  const norms = watch();
  const step = (factor: readonly number[]) =>
    norms.ranks(
      factor.map((each) => each * norm(random)),
      [0, 1, 2],
      MOMENT,
    );
  for (let k = 0; k < STEPS; k += 1) assert.deepEqual(step([1, 1, 1, 1]), []);
  assert.deepEqual(step([1e5, 1e5, 1e5, 1e5]), []);
  assert.deepEqual(step([1, 1, 1, 1e5]), []);
  assert.deepEqual(
    step([1, 1e5, 1, 1]).map(({ detector, ranks }) => [detector, ranks]),
    [['rank-gradient-norm', [1]]],
  );
});

test('the farthest layer is named, whatever the others do', () => {
  const random = new Random(6);
  const norms = watch();
  const base = {
    rank: 3,
    step: 1,
    timeUs: 1,
    loss: 1,
    learningRate: 1,
    localNorm: 1,
    norm: 1,
    maxWeight: 1,
    maxUpdate: 1,
  };
  const rest = { nonfiniteGradients: 0, nonfiniteWeights: 0, rankNorms: [], rankLosses: [] };
  const step = (factors: readonly number[]) => {
    const layerNorms = factors.map((factor, k) => factor * norm(random, 10 ** -k));
    return norms.layers({ ...base, ...rest, layerNorms }, ['first', 'second', 'third'], MOMENT);
  };
  for (let k = 0; k < STEPS; k += 1) assert.deepEqual(step([1, 1, 1]), []);
  const [found] = step([1, 1e30, 1]);
  assert.deepEqual([found?.detector, found?.ranks], ['layer-norm', [3]]);
  assert.match(found?.detail ?? '', /layer second on rank 3/);
});
