import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitingBytes } from './memory.js';

test('an eighth of a container may wait, and a gibibyte where there is no limit', () => {
  assert.equal(waitingBytes(2 ** 28), 2 ** 25);
  assert.deepEqual([waitingBytes(0), waitingBytes(2 ** 63)], [2 ** 30, 2 ** 30]);
});
