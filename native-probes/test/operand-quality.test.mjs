// What the operands of one execution would show of a multiplier's gates; the bench operand-coverage measures more lanes and seeds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testProbes } from './addons.mjs';

const coverage = (request) => {
  const { faults, stuckAtFound, transitionFound } = testProbes.multiplierCoverage({ family: 'fma32', ...request });
  return { stuckAt: stuckAtFound / faults, transition: transitionFound / faults };
};

test('one lane of fma32 shows at least 99.5 % of stuck-at and 99 % of transition faults', () => {
  for (const lanes of [[5], [3, 35]]) {
    const { stuckAt, transition } = coverage({ epoch: 179_000_000, lanes, iterations: 1024 / lanes.length });
    assert.ok(stuckAt >= 0.995, `${stuckAt}`);
    assert.ok(transition >= 0.99, `${transition}`);
  }
});

test('one multiplier of tc_fp16 shows at least 99 % of stuck-at and 98 % of transition faults', () => {
  const { stuckAt, transition } = coverage({ family: 'tc_fp16', epoch: 179_000_000, lanes: [21], iterations: 448 });
  assert.ok(stuckAt >= 0.99, `${stuckAt}`);
  assert.ok(transition >= 0.98, `${transition}`);
});

test('the simulation can say no: few vectors, and uniform bits alone, show less', () => {
  assert.ok(coverage({ epoch: 1, lanes: [0], iterations: 8 }).stuckAt < 0.9);
  const uniform = coverage({ epoch: 1, lanes: [0], iterations: 8192, step: 8 });
  assert.ok(uniform.stuckAt < 0.95, `${uniform.stuckAt}`);
});

test('one vector has no operation before it, so it shows no transition fault', () => {
  const single = [1, 2, 3, 4].map((epoch) => coverage({ epoch, lanes: [1], iterations: 1 }));
  assert.ok(single.some(({ stuckAt }) => stuckAt > 0.1));
  assert.ok(single.every(({ transition }) => transition === 0));
});
