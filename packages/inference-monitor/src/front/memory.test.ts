import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { sizeOf, waitingBytes, waitingIn } from './memory.js';

test('an eighth of a container may wait, and a gibibyte where there is no limit', () => {
  assert.equal(waitingBytes(2 ** 28), 2 ** 25);
  assert.deepEqual([waitingBytes(0), waitingBytes(2 ** 63)], [2 ** 30, 2 ** 30]);
});

test('what waits in streams is counted in both directions', () => {
  const [one, other] = [new PassThrough(), new PassThrough()];
  one.write(Buffer.alloc(10));
  other.cork();
  other.write(Buffer.alloc(7));
  assert.equal(waitingIn(one, other), 17);
  assert.equal(sizeOf([Buffer.alloc(2), Buffer.alloc(3)]), 5);
});
