import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateBound } from './rate-bound.js';

const MINUTE_MS = 60_000;

test('the same finding is not told again for a while, comparisons of bits sooner', () => {
  const bound = new RateBound();
  assert.equal(bound.refuse('a', false, 0), null);
  assert.equal(bound.refuse('a', false, 10 * MINUTE_MS - 1), 'repeated');
  assert.equal(bound.refuse('a', false, 10 * MINUTE_MS), null);
  assert.equal(bound.refuse('b', true, 0), null);
  assert.equal(bound.refuse('b', true, 9_999), 'repeated');
  assert.equal(bound.refuse('b', true, 10_000), null);
});

test('different findings are bounded by the minute; soft ones do not use up what comparisons may', () => {
  const bound = new RateBound();
  const passed = (isHard: boolean, nowMs: number) =>
    Array.from({ length: 200 }, (_, k) => bound.refuse(`${isHard} ${nowMs} ${k}`, isHard, nowMs)).filter(
      (refusal) => refusal === null,
    ).length;
  assert.equal(passed(false, 0), 60);
  assert.equal(passed(true, 0), 60);
  assert.equal(passed(false, MINUTE_MS / 2), 30);
});
