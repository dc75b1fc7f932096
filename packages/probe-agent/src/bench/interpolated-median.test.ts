import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interpolatedMedian } from './interpolated-median.js';

test('a count stands for the interval that ends with it', () => {
  assert.equal(interpolatedMedian([1, 1, 1, 1]), 0.5);
  assert.equal(interpolatedMedian([3, 1]), 1);
  assert.equal(interpolatedMedian([1, 2, 2, 5]), 1.5);
  assert.ok(Number.isNaN(interpolatedMedian([])));
});

test('of a geometric distribution it is near ln 2 / p', () => {
  const rate = 0.05;
  const counts = Array.from({ length: 20_000 }, (_, k) => Math.ceil(Math.log((k + 0.5) / 20_000) / Math.log1p(-rate)));
  const expected = Math.LN2 / -Math.log1p(-rate);
  assert.ok(Math.abs(interpolatedMedian(counts) / expected - 1) < 0.03, `${interpolatedMedian(counts)} ${expected}`);
});
