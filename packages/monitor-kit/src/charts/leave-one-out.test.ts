import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leaveOneOut } from './leave-one-out.js';

test('each rank against the median of the others', () => {
  assert.deepEqual(leaveOneOut([1, 2, 9]), [1 - 5.5, 2 - 5, 9 - 1.5]);
  assert.deepEqual(leaveOneOut([4, 4, 4, 4]), [0, 0, 0, 0]);
  assert.deepEqual(leaveOneOut([1, 3]), [-2, 2]);
});

test("what all ranks do at once is nobody's", () => {
  const shifted = leaveOneOut([101, 102, 109]);
  assert.deepEqual(shifted, leaveOneOut([1, 2, 9]));
});

test('a rank that gave none has no effect, and is left out of the others', () => {
  assert.deepEqual(leaveOneOut([1, Number.NaN, 3]), [-2, Number.NaN, 2]);
  assert.deepEqual(leaveOneOut([5, Number.NaN]), [Number.NaN, Number.NaN]);
});
