import assert from 'node:assert/strict';
import { test } from 'node:test';
import { uuidV5, uuidV7 } from './uuid.js';

test('ids carry version and variant; a v7 begins with its time', () => {
  const id = uuidV7(0x0123_4567_89ab, new Uint8Array(10).fill(0xff)).toString('hex');
  assert.equal(id, '0123456789ab7fffbfffffffffffffff');
  assert.notEqual(uuidV5('ab', 'c'), uuidV5('a', 'bc'));
  assert.equal(uuidV5('a'), uuidV5('a'));
});
