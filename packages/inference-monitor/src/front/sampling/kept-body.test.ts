import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeptBody } from './kept-body.js';

test('a body is kept up to its limit, and beyond it nothing of it', () => {
  const body = new KeptBody(5);
  for (const text of ['ab', 'cde']) body.push(Buffer.from(text));
  assert.deepEqual([body.whole.toString(), body.held, body.isTooLarge], ['abcde', 5, false]);
  for (const text of ['f', 'g']) body.push(Buffer.from(text));
  assert.deepEqual([body.whole.length, body.held, body.isTooLarge], [0, 0, true]);
});
