import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BUDGET_CAPACITY_US, Budget } from './budget.js';

test('work waits until its CPUs can pay', () => {
  const budget = new Budget(2);
  assert.equal(budget.readyAtMs([0, 1], 3_000, 0), 0);
  budget.charge(1, 4_000, 0);
  // CPU 1 has 1,000 us left and earns 20 us per ms.
  assert.equal(budget.readyAtMs([0, 1], 3_000, 0), 100);
  assert.equal(budget.readyAtMs([0], 3_000, 0), 0);
  assert.equal(budget.readyAtMs([0, 1], 3_000, 100), 100);
});

test('work dearer than the capacity waits for a full bucket, not for ever', () => {
  const budget = new Budget(1);
  budget.charge(0, 1_000, 0);
  assert.equal(budget.readyAtMs([0], 50_000, 0), 100);
});

test('what starts only when it can be paid never exceeds the share, the capacity and one debt', () => {
  const steps = fc.array(
    fc.record({ waitMs: fc.integer({ min: 0, max: 2_000 }), costUs: fc.integer({ min: 1, max: 20_000 }) }),
    {
      maxLength: 200,
    },
  );
  fc.assert(
    fc.property(fc.double({ min: 0.01, max: 50, noNaN: true }), steps, (pct, work) => {
      const budget = new Budget(pct);
      let nowMs = 0;
      let charged = 0;
      let dearest = 0;
      for (const { waitMs, costUs } of work) {
        nowMs += waitMs;
        if (budget.readyAtMs([7], 1_000, nowMs) > nowMs) continue;
        budget.charge(7, costUs, nowMs);
        charged += costUs;
        dearest = Math.max(dearest, costUs);
        assert.ok(charged <= BUDGET_CAPACITY_US + nowMs * pct * 10 + dearest + 1e-6);
      }
    }),
  );
});

test('a clock that goes back earns nothing twice', () => {
  const budget = new Budget(2);
  budget.charge(0, 5_000, 1_000);
  budget.balance(0, 500);
  assert.equal(budget.balance(0, 1_000), 0);
});
