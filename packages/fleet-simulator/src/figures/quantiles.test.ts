import assert from 'node:assert/strict';
import { it } from 'node:test';
import { medianInterval, quantilesOf } from './quantiles.js';

it('what never happened counts as later than everything else', () => {
  assert.deepEqual(quantilesOf([3, null, 1, 2]), { count: 3, missing: 1, median: 2, p99: null });
  assert.deepEqual(quantilesOf([1, null, null]), { count: 1, missing: 2, median: null, p99: null });
  assert.deepEqual(quantilesOf([]), { count: 0, missing: 0, median: null, p99: null });
});

it('the 99th percentile of 200 values is the 198th', () => {
  const values = Array.from({ length: 200 }, (_, i) => 200 - i);
  assert.deepEqual(quantilesOf(values), { count: 200, missing: 0, median: 100, p99: 198 });
});

it('the interval of a median holds it, is narrow where values are dense, and spans a gap in the middle', () => {
  const even = Array.from({ length: 601 }, (_, i) => i);
  assert.deepEqual(medianInterval(even), [275, 325]);
  const days = even.map((i) => (i < 300 ? 12 : 36));
  assert.deepEqual(medianInterval(days), [12, 36]);
  assert.deepEqual(medianInterval([1, null]), [1, Number.POSITIVE_INFINITY]);
});
