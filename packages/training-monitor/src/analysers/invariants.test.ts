import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shippedLimits } from '../bench/support/limits.js';
import { Invariants } from './invariants.js';
import type { StepSample } from './step-sample.js';

const HEALTHY: Omit<StepSample, 'rank'> = {
  ...{ step: 1, timeUs: 1, loss: 2, learningRate: 1e-3, localNorm: 1, norm: 1, maxWeight: 3, maxUpdate: 0.1 },
  ...{ nonfiniteGradients: 0, nonfiniteWeights: 0, layerNorms: [], rankNorms: [], rankLosses: [] },
};

function fresh(): Invariants {
  const { gradient_norm, loss, cross_rank, invariants } = shippedLimits();
  return new Invariants(invariants, {
    maxNorm: gradient_norm.absolute_max,
    minNorm: gradient_norm.absolute_min,
    maxLoss: loss.absolute_max,
    maxReducedDivergence: cross_rank.max_divergence,
    divergenceSeverity: cross_rank.severity,
  });
}

/** What is told of one step in which each rank differs from a healthy one by this. */
function step(of: Invariants, ranks: readonly Partial<StepSample>[]) {
  const samples = ranks.map((differing, rank) => ({ ...HEALTHY, ...differing, rank }));
  const found = of.step(
    samples,
    ranks.map(() => 1),
    { step: 1, timeUs: 1 },
  );
  return found.map(({ detector, severity, ranks: named }) => `${detector} ${severity} ${named.join(',')}`);
}

test('a healthy step says nothing', () => assert.deepEqual(step(fresh(), [{}, {}, {}]), []));

test('a rank with a wild parameter is named alone; all ranks at once are told as all', () => {
  assert.deepEqual(step(fresh(), [{}, { maxWeight: 1e9 }, {}]), ['range HIGH 1']);
  assert.deepEqual(step(fresh(), [{}, { maxUpdate: Number.POSITIVE_INFINITY }, {}]), ['range HIGH 1']);
  assert.deepEqual(step(fresh(), [{ maxWeight: 1e9 }, { maxWeight: 1e9 }]), ['range WARNING 0,1']);
  assert.deepEqual(step(fresh(), [{ nonfiniteWeights: 2 }, {}]), ['nonfinite HIGH 0']);
});

test('a violation is told once until it has been absent for a while', () => {
  const invariants = fresh();
  const wild = [{}, { maxWeight: 1e9 }];
  assert.equal(step(invariants, wild).length, 1);
  assert.equal(step(invariants, wild).length, 0);
  for (let k = 0; k < 12; k += 1) step(invariants, [{}, {}]);
  assert.equal(step(invariants, wild).length, 1);
});

test('a step of mixed precision that was skipped is INFO, many of them are more', () => {
  const invariants = fresh();
  assert.deepEqual(step(invariants, [{ nonfiniteGradients: 5 }, {}]), ['nonfinite INFO 0']);
  const told = Array.from({ length: 10 }, () => step(invariants, [{ nonfiniteGradients: 5 }, {}])).flat();
  assert.deepEqual(told, ['nonfinite WARNING 0']);
});

test('magnitudes of the job are INFO', () => {
  assert.deepEqual(step(fresh(), [{ norm: 1e3 }, { norm: 1e3 }]), ['setting INFO 0,1']);
  assert.deepEqual(step(fresh(), [{ norm: 1e-9 }, { norm: 1e-9 }]), ['setting INFO 0,1']);
  assert.deepEqual(step(fresh(), [{ loss: 50, learningRate: 5 }, {}]), ['setting INFO 0,1']);
});

test('the reduced norm is the same on all replicas', () => {
  assert.deepEqual(step(fresh(), [{ norm: 1 }, { norm: 1.2 }, { norm: 1 }]), ['reduced-norm HIGH 1']);
  assert.deepEqual(step(fresh(), [{ norm: 1 }, { norm: 1.2 }]), ['reduced-norm HIGH 0,1']);
  assert.deepEqual(step(fresh(), [{ norm: 1 }, { norm: 1.04 }, {}]), []);
});
