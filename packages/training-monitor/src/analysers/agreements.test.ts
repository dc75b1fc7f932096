import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agreements } from './agreements.js';

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
