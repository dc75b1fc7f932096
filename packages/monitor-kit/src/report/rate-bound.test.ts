import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateBound } from './rate-bound.js';

const MINUTE_MS = 60_000;

test('the same finding is not told again for a while, comparisons of bits sooner', () => {
  const bound = new RateBound();
  assert.equal(bound.refuse('a', 'soft', 0), null);
  assert.equal(bound.refuse('a', 'soft', 10 * MINUTE_MS - 1), 'repeated');
  assert.equal(bound.refuse('a', 'soft', 10 * MINUTE_MS), null);
  assert.equal(bound.refuse('b', 'hard', 0), null);
  assert.equal(bound.refuse('b', 'hard', 9_999), 'repeated');
  assert.equal(bound.refuse('b', 'hard', 10_000), null);
});

test('different findings are bounded by the minute; soft ones do not use up what comparisons may', () => {
  const bound = new RateBound();
  const passed = (of: 'hard' | 'soft' | 'saved' | 'loaded', nowMs: number) =>
    Array.from({ length: 200 }, (_, k) => bound.refuse(`${of} ${nowMs} ${k}`, of, nowMs)).filter(
      (refusal) => refusal === null,
    ).length;
  assert.equal(passed('saved', 0), 60);
  assert.equal(passed('loaded', 0), 60);
  assert.equal(passed('soft', 0), 60);
  assert.equal(passed('hard', 0), 60);
  assert.equal(passed('soft', MINUTE_MS / 2), 30);
});
