import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agreements, MIN_AGREED } from './agreements.js';

test('what is worth telling: of a rank that lost, after 1, 10, 100 agreements', () => {
  const agreements = new Agreements();
  const tell = (times: number) =>
    Array.from({ length: times }, (_, k) => (agreements.agreed(0) ? k + 1 : 0)).filter(Boolean);
  assert.deepEqual(tell(150), []);
  assert.equal(agreements.before([0]), 150);
  agreements.lost(0);
  assert.equal(agreements.before([0]), 0);
  assert.deepEqual(tell(150), [1, 10, 100]);
});

test('several ranks have agreed as often as the one that did least', () => {
  const agreements = new Agreements();
  for (const rank of [0, 0, 0, 1]) agreements.agreed(rank);
  assert.deepEqual([agreements.before([0, 1]), agreements.before([0, 2]), agreements.before([])], [1, 0, 0]);
});

test('a rank is known once it agreed often enough, whatever it lost since', () => {
  const agreements = new Agreements();
  for (let k = 1; k <= MIN_AGREED; k += 1) {
    assert.equal(agreements.isKnown(0), false);
    agreements.agreed(0);
    agreements.lost(1);
  }
  agreements.lost(0);
  assert.deepEqual([agreements.isKnown(0), agreements.isKnown(1)], [true, false]);
});
