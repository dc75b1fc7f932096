import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Backoff } from './backoff.js';

test('the ceiling doubles up to its bound, and starts again after a success', () => {
  const backoff = new Backoff({ firstMs: 100, lastMs: 1_000, random: () => 1 - Number.EPSILON });
  const ceilings = Array.from({ length: 6 }, () => Math.round(backoff.nextMs()));
  assert.deepEqual(ceilings, [100, 200, 400, 800, 1_000, 1_000]);
  assert.equal(backoff.attempt, 6);
  backoff.reset();
  assert.equal(Math.round(backoff.nextMs()), 100);
});

test('a delay is never below a tenth of its ceiling nor above it, for ever', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.nat(2_000), (random, failures) => {
      const backoff = new Backoff({ firstMs: 50, lastMs: 5_000, random: () => random });
      for (let i = 0; i < failures; i += 1) backoff.nextMs();
      const ceiling = Math.min(5_000, 50 * 2 ** Math.min(failures, 30));
      const delay = backoff.nextMs();
      assert.ok(delay >= ceiling / 10 && delay <= ceiling);
    }),
  );
});

test('a fleet does not return in step', () => {
  const delays = Array.from({ length: 1_000 }, () => new Backoff({ firstMs: 1_000, lastMs: 1_000 }).nextMs());
  const firstHalf = delays.filter((delay) => delay < 550).length;
  assert.ok(firstHalf > 400 && firstHalf < 600);
});
