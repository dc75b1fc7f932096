import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dateOf, durationOf } from './view.js';

test('dates are UTC to the second', () => {
  assert.equal(dateOf(1_800_000_000_000_000), '2027-01-15 08:00:00 UTC');
});

test('durations are rounded up to what a person would say', () => {
  const texts = [-5, 0, 0.2, 119, 121, 7199, 7201, 172_799, 172_801].map((seconds) => durationOf(seconds * 1e6));
  assert.deepEqual(texts, ['0 s', '0 s', '1 s', '119 s', '3 min', '120 min', '3 h', '48 h', '3 days']);
});
