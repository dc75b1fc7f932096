import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_WAITING, MAX_WAITING_BYTES, SampleQueue } from './sample-queue.js';

test('the oldest give way beyond the bounds, and are counted', () => {
  let dropped = 0;
  const queue = new SampleQueue<number>((records) => {
    dropped += records;
  });
  for (let k = 0; k < MAX_WAITING + 3; k += 1) queue.push(k, 1);
  assert.deepEqual([dropped, queue.length, queue.take()], [3, MAX_WAITING, 3]);
  queue.push(-1, MAX_WAITING_BYTES);
  assert.equal(queue.length, 1);
  queue.push(-2, 1);
  assert.deepEqual([queue.length, queue.take(), queue.take()], [1, -2, undefined]);
});
