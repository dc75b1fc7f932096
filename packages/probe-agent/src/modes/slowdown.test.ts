import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SlowdownRound } from '@sentinel/native-probes';
import fc from 'fast-check';
import { slowdownOf } from './slowdown.js';

/** A round of two executions in which a job that makes a step in 5 us loses `lostUs` to each. */
function round(lostUs: number, rest: Partial<SlowdownRound> = {}): SlowdownRound {
  return {
    probed: { us: 20_000, steps: (20_000 - 2 * lostUs) / 5 },
    alone: { us: 20_000, steps: 4_000 },
    executed: 2,
    chargedUs: 2_000,
    ...rest,
  };
}

test('what the job lost to an execution, and by how much that is more than the charge', () => {
  const slowdown = slowdownOf(
    [900, 1_150, 1_100, 1_000, 1_200].map((us) => round(us)),
    2,
  );
  assert.deepEqual(slowdown, {
    rounds: 5,
    measuredUs: { p25: 1_000, p50: 1_100, p75: 1_150 },
    chargedUs: 1_000,
    ratio: 1.1,
  });
});

test('what disturbs less than half of the rounds does not move it', () => {
  const us = fc.double({ min: 0, max: 9_000, noNaN: true });
  const disturbed = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { maxLength: 9 });
  fc.assert(
    fc.property(us, disturbed, (lost, others) => {
      const rounds = [...Array.from({ length: 10 }, () => round(lost)), ...others.map((other) => round(other))];
      const slowdown = slowdownOf(rounds, 2);
      assert.ok(slowdown !== undefined && Math.abs(slowdown.measuredUs.p50 - lost) < 1e-6);
    }),
  );
});

test('rounds that miss an execution or the job do not count; too few say nothing', () => {
  const four = [1, 2, 3, 4].map(() => round(1_000));
  const missed = round(50, { executed: 1 });
  const starved = round(50, { alone: { us: 20_000, steps: 0 } });
  assert.equal(slowdownOf([...four, missed, starved], 2), undefined);
  assert.equal(slowdownOf([...four, missed, starved, round(1_000)], 2)?.measuredUs.p50, 1_000);
  assert.equal(
    slowdownOf(
      [1, 2, 3, 4, 5].map(() => round(1_000, { chargedUs: 0 })),
      2,
    ),
    undefined,
  );
});
