import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ranges } from './ranges.js';

test('runs of three or more are shortened', () => {
  assert.equal(ranges([9, 0, 1, 2, 3, 5, 6]), '0-3,5,6,9');
  assert.equal(ranges([]), '');
});
