import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unitWith } from './testing/device.js';
import { totalsOf } from './unit-totals.js';

test('no unit failed: nothing', () => {
  const { counted, answers, consecutive, mostAccused, families, newestUs } = totalsOf([]);
  assert.deepEqual([counted, answers, consecutive, mostAccused, families, newestUs.size], [0, 0, 0, undefined, [], 0]);
});

test('sums, the most of them, and families by what is against them', () => {
  const units = [
    unitWith({ family: 3, sm: 1, counted: 2, answers: 1, accused: 1, consecutive: 2, lastUs: 5 }),
    unitWith({ family: 1, sm: 1, counted: 1, accused: 3, lastUs: 9 }),
    unitWith({ family: 2, sm: 2, excused: 1, accused: 3, lastUs: 7 }),
    unitWith({ family: 4, sm: 3, unlocated: 1, consecutive: 1, lastUs: 6 }),
    unitWith({ family: 5, sm: 4 }),
    unitWith({ family: 3, sm: 4, counted: 1, lastUs: 1 }),
  ];
  assert.deepEqual(totalsOf(units), {
    counted: 4,
    answers: 1,
    consecutive: 2,
    mostAccused: units[1],
    worstSm: { sm: 1, counted: 3 },
    families: [3, 1, 2, 4, 5],
    failing: [3, 1],
    held: [3, 1, 2, 4],
    answered: new Map([
      [3, { answers: 1, unlocated: 0 }],
      [1, { answers: 0, unlocated: 0 }],
      [2, { answers: 0, unlocated: 0 }],
      [4, { answers: 0, unlocated: 1 }],
      [5, { answers: 0, unlocated: 0 }],
    ]),
    newestUs: new Map([
      [1, 9],
      [3, 6],
      [4, 1],
    ]),
  });
});

test('a list is looked through once, and another list is another', () => {
  const units = [unitWith({ counted: 1 })];
  assert.equal(totalsOf(units), totalsOf(units));
  assert.equal(totalsOf([...units, unitWith({ counted: 4 })]).counted, 5);
});
