import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '@sentinel/monitor-kit/testing/random';
import { shippedLimits } from '../bench/support/limits.js';
import type { Finding } from './finding.js';
import { RunAnalysis } from './run-analysis.js';
import type { StepSample } from './step-sample.js';

const RANKS = 4;
const STEPS = 4_000;
const SHAPE = { groups: [1, 1, 1, 1], local: [0, 1] };

/** A healthy step of ranks 0 and 1, who know the norms and losses of all; `norms` and `losses` multiply them by rank. */
function samplesOf(
  step: number,
  random: Random,
  { norms = [1, 1, 1, 1], losses = [1, 1, 1, 1], rate = 1e-3 } = {},
): StepSample[] {
  const level = 1 + 4 * Math.exp(-step / 800);
  const rankNorms = norms.map((factor) => factor * level * Math.exp(0.1 * random.normal()));
  const rankLosses = losses.map((factor) => factor * level * Math.exp(0.05 * random.normal()));
  return SHAPE.local.map((rank) => ({
    ...{
      rank,
      step,
      timeUs: step,
      loss: rankLosses[rank],
      learningRate: rate,
      localNorm: rankNorms[rank],
      norm: level,
    },
    ...{
      maxWeight: 3,
      maxUpdate: 0.01,
      nonfiniteGradients: 0,
      nonfiniteWeights: 0,
      layerNorms: [],
      rankNorms,
      rankLosses,
    },
  }));
}

type Change = Parameters<typeof samplesOf>[2];

function run(change: (step: number) => Change, steps = STEPS): Finding[] {
  const random = new Random(31);
  const analysis = new RunAnalysis(SHAPE, shippedLimits());
  return Array.from({ length: steps }, (_, step) =>
    analysis.step(samplesOf(step, random, change(step)), () => [], { step, timeUs: step }),
  ).flat();
}

test('a job that learns, with uneven batches, warm-up and decay of its rate, shows nothing', () => {
  const uneven = { norms: [1, 1.3, 0.8, 1], losses: [1, 1.1, 0.9, 1] };
  assert.deepEqual(
    run((step) => ({ ...uneven, rate: Math.min(1, step / 500) * 1e-3 * 0.999 ** step })),
    [],
  );
});

test('one wild step of a rank of this node names it, one of a rank elsewhere does not', () => {
  const wild = (rank: number) => (step: number) =>
    step === 3_500 ? { norms: [1, 1, 1, 1].map((_, k) => (k === rank ? 1e6 : 1)) } : {};
  assert.deepEqual(
    run(wild(1)).map(({ detector, ranks, step }) => [detector, ranks, step]),
    [['rank-gradient-norm', [1], 3_500]],
  );
  assert.deepEqual(run(wild(3)), []);
});

test('new limits hold at once, and charts begin anew under them', () => {
  const random = new Random(32);
  const limits = shippedLimits();
  const analysis = new RunAnalysis(SHAPE, limits);
  const step = (at: number, change: Change = {}) =>
    analysis.step(samplesOf(at, random, change), () => [], { step: at, timeUs: at });
  for (let at = 0; at < 3_000; at += 1) assert.deepEqual(step(at), []);
  analysis.retune({ ...limits, loss: { ...limits.loss, absolute_max: 0.5 } });
  assert.deepEqual(
    step(3_000).map(({ detector }) => detector),
    ['setting'],
  );
  assert.deepEqual(step(3_001, { norms: [1e6, 1, 1, 1] }), []);
});

test('without an exchange the ranks at hand are compared', () => {
  const random = new Random(33);
  const analysis = new RunAnalysis(
    { groups: Array.from({ length: RANKS }, () => 1), local: [0, 1, 2, 3] },
    shippedLimits(),
  );
  const step = (at: number, wild: number) => {
    const samples = Array.from({ length: RANKS }, (_, rank) => {
      const [first] = samplesOf(at, random);
      const localNorm = (first?.localNorm ?? 1) * (rank === wild ? 1e6 : 1);
      return { ...(first as StepSample), rank, localNorm, rankNorms: [], rankLosses: [] };
    });
    return analysis.step(samples, () => [], { step: at, timeUs: at }).map(({ detector, ranks }) => [detector, ranks]);
  };
  for (let at = 0; at < 3_000; at += 1) assert.deepEqual(step(at, -1), []);
  assert.deepEqual(step(3_000, 2), [['rank-gradient-norm', [2]]]);
});
