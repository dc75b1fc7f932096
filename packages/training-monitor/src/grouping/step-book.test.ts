import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GRACE_MS, MAX_OPEN, StepBook } from './step-book.js';

const both = (copies: ReadonlyMap<number, string>) => copies.size === 2;

test('a round is closed when all have told of it, and what comes later is late', () => {
  const book = new StepBook<string>();
  book.add('1', 0, 'a', 0);
  assert.deepEqual(book.due(1, both), []);
  book.add('1', 1, 'b', 1);
  assert.deepEqual(book.due(1, both), [
    {
      key: '1',
      copies: new Map([
        [0, 'a'],
        [1, 'b'],
      ]),
    },
  ]);
  book.add('1', 2, 'c', 2);
  assert.deepEqual([book.late, book.due(10 * GRACE_MS, both)], [1, []]);
});

test('a round with a rank missing is closed after the grace', () => {
  const book = new StepBook<string>();
  book.add('1', 0, 'a', 100);
  assert.equal(book.dueMs, 100 + GRACE_MS);
  assert.deepEqual(book.due(99 + GRACE_MS, both), []);
  assert.equal(book.due(100 + GRACE_MS, both).length, 1);
  assert.equal(book.dueMs, null);
});

test('a rank that tells twice is heard once', () => {
  const book = new StepBook<string>();
  book.add('1', 0, 'a', 0);
  book.add('1', 0, 'b', 0);
  assert.equal(book.late, 1);
  assert.deepEqual(book.due(GRACE_MS, both)[0]?.copies, new Map([[0, 'a']]));
});

test('the oldest round makes room for a new one', () => {
  const book = new StepBook<string>();
  for (let k = 0; k < MAX_OPEN; k += 1) assert.deepEqual(book.add(`${k}`, 0, 'a', k), []);
  const [closed] = book.add('new', 0, 'a', 99);
  assert.deepEqual([closed?.key, book.crowded], ['0', 1]);
});
