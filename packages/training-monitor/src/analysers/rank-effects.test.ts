import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '@sentinel/monitor-kit/testing/random';
import { shippedLimits } from '../bench/support/limits.js';
import type { Finding } from './finding.js';
import { RankEffects } from './rank-effects.js';

const { rank_effect: LIMITS, severity } = shippedLimits().cross_rank;
const LEARNING = LIMITS.block_samples * LIMITS.reference_blocks;

function run(after: number, factors: (step: number) => readonly number[]): { norms: Finding[]; losses: Finding[] } {
  const random = new Random(8);
  const effects = new RankEffects(LIMITS, severity);
  const found = { norms: [] as Finding[], losses: [] as Finding[] };
  for (let step = 0; step < LEARNING + after; step += 1) {
    const values = factors(step).map((factor) => factor * 3 * Math.exp(0.1 * random.normal()));
    found.norms.push(...effects.norms(values, [0, 1, 2, 3], { step, timeUs: step }));
    found.losses.push(...effects.losses(values, [0, 1, 2, 3], { step, timeUs: step }));
  }
  return found;
}

test('ranks that differ from the beginning, and a job that drifts as one, name nobody', () => {
  const uneven = run(2_000, (step) => [1, 1.5, 0.7, 1].map((factor) => factor * (1 + step / 5_000)));
  assert.deepEqual(uneven, { norms: [], losses: [] });
  const learning = run(2_000, (step) => [1, 1.5, 0.7, 1].map((factor) => factor * (1 + 5 * Math.exp(-step / 1_000))));
  assert.deepEqual(learning, { norms: [], losses: [] });
});

test('a rank that drifts is named, with what it has become', () => {
  const { norms, losses } = run(2_000, (step) => [1, 1, step < LEARNING ? 1 : 1.15, 1]);
  for (const [found] of [norms, losses]) {
    assert.equal(found?.type, 'CROSS_RANK_DIVERGENCE');
    assert.deepEqual(found?.ranks, [2]);
  }
  assert.equal(norms[0]?.severity, 'HIGH');
  assert.match(norms[0]?.detail ?? '', /rank 2 has become 1\.\d+ times what it was/);
  assert.match(losses[0]?.detail ?? '', /loss of rank 2 has become 1\.\d+ times/);
});
