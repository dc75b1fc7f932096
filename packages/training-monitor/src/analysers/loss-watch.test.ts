import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '@sentinel/monitor-kit/testing/random';
import { shippedLimits } from '../bench/support/limits.js';
import type { Finding } from './finding.js';
import { LossWatch } from './loss-watch.js';

const PROBABILITY = 1e-7;

/** Feeds so many steps; the loss and the rate are of the step. */
function run(
  steps: number,
  loss: (step: number, random: Random) => number,
  rate: (step: number) => number | undefined,
) {
  const random = new Random(9);
  const watch = new LossWatch(shippedLimits().loss, PROBABILITY);
  const found: Finding[] = [];
  for (let step = 0; step < steps; step += 1) {
    found.push(...watch.step(loss(step, random), rate(step), [0, 1], { step, timeUs: step }));
  }
  return found;
}

const noisy = (level: number, random: Random) => level * (1 + 0.02 * random.normal());

test('a loss that falls as it does in training is no spike; one that jumps up is, and accuses all ranks', () => {
  const falling = (step: number, random: Random) => noisy(1 + 6 * Math.exp(-step / 400), random);
  assert.deepEqual(
    run(3_000, falling, () => 1e-3),
    [],
  );
  const jump = (step: number, random: Random) => (step === 2_500 ? 90 : falling(step, random));
  const [found, ...more] = run(3_000, jump, () => 1e-3);
  assert.deepEqual([found?.type, found?.step, found?.ranks, more.length], ['LOSS_SPIKE', 2_500, [0, 1], 0]);
});

test('a level that changes with the learning rate is none', () => {
  const restart = (step: number, random: Random) => noisy(step < 2_000 ? 1 : 50, random);
  const rate = (step: number) => (step < 2_000 ? 1e-4 : 1e-2);
  assert.deepEqual(run(2_400, restart, rate), []);
  assert.equal(run(2_400, restart, () => 1e-4).length, 1);
});

test('a loss that does not improve for long is told once, as INFO', () => {
  const found = run(
    12_000,
    () => 2,
    () => undefined,
  );
  assert.deepEqual(
    found.map(({ detector, severity, step }) => [detector, severity, step]),
    [['plateau', 'INFO', 5_000]],
  );
});
