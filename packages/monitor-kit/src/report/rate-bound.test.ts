import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnomalySeverity } from '@sentinel/contracts/sentinel/v1/anomaly.js';
import { RateBound } from './rate-bound.js';

const MINUTE_MS = 60_000;
const { WARNING, HIGH, CRITICAL } = AnomalySeverity;

test('the same finding is not told again for a while, comparisons of bits sooner', () => {
  const bound = new RateBound();
  assert.equal(bound.refuse('a', 'soft', HIGH, 0), null);
  assert.equal(bound.refuse('a', 'soft', HIGH, 10 * MINUTE_MS - 1), 'repeated');
  assert.equal(bound.refuse('a', 'soft', HIGH, 10 * MINUTE_MS), null);
  assert.equal(bound.refuse('b', 'hard', HIGH, 0), null);
  assert.equal(bound.refuse('b', 'hard', HIGH, 9_999), 'repeated');
  assert.equal(bound.refuse('b', 'hard', HIGH, 10_000), null);
});

test('different findings are bounded by the minute; soft ones do not use up what comparisons may', () => {
  const bound = new RateBound();
  const passed = (of: 'hard' | 'soft' | 'saved' | 'loaded', nowMs: number) =>
    Array.from({ length: 200 }, (_, k) => bound.refuse(`${of} ${nowMs} ${k}`, of, HIGH, nowMs)).filter(
      (refusal) => refusal === null,
    ).length;
  assert.equal(passed('saved', 0), 60);
  assert.equal(passed('loaded', 0), 60);
  assert.equal(passed('soft', 0), 60);
  assert.equal(passed('hard', 0), 60);
  assert.equal(passed('soft', MINUTE_MS / 2), 30);
});

test('a graver one is told at once, a milder one is the same', () => {
  const bound = new RateBound();
  const refused = [WARNING, CRITICAL, HIGH, CRITICAL].map((severity, nowMs) =>
    bound.refuse('a', 'soft', severity, nowMs),
  );
  assert.deepEqual(refused, [null, null, 'repeated', 'repeated']);
});

test('a comparison of bits is told, whatever else was of the same', () => {
  const bound = new RateBound();
  assert.deepEqual(
    [
      bound.refuse('a', 'soft', CRITICAL, 0),
      bound.refuse('a', 'hard', CRITICAL, 0),
      bound.refuse('a', 'soft', HIGH, 0),
    ],
    [null, null, 'repeated'],
  );
});
