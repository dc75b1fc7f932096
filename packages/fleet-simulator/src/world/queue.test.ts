import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Random } from '../random.js';
import { EventQueue } from './queue.js';

it('gives events by time, and those of one time in the order in which they were asked for', () => {
  const queue = new EventQueue<number>();
  const random = new Random(1, 'queue');
  const seen: number[] = [];
  const times = Array.from({ length: 500 }, () => random.below(50));
  for (const [i, time] of times.entries()) queue.at(time, i);
  for (let i = queue.take(); i !== undefined; i = queue.take()) seen.push(i);
  const expected = times.map((_, i) => i).sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0) || a - b);
  assert.deepEqual(seen, expected);
  assert.equal(queue.nextUs, Number.POSITIVE_INFINITY);
});
