import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { held, Locks } from './locks.js';

test('faults of one thing follow each other, also after one that failed; others go on beside it', async () => {
  const locks = new Locks();
  const order: string[] = [];
  const work = (name: string, ms: number) => async (): Promise<void> => {
    await delay(ms);
    order.push(name);
  };
  const failed = locks.run(['a'], async () => {
    await delay(5);
    throw new Error('no');
  });
  await Promise.all([
    assert.rejects(failed, /no/),
    locks.run(['a'], work('a', 40)),
    locks.run(['a', 'b'], work('a and b', 1)),
    locks.run(['b'], work('b', 1)),
    locks.run(['c'], work('c', 1)),
  ]);
  assert.deepEqual(order, ['c', 'a', 'a and b', 'b']);
});

test('an outage has every store to itself, a full disk the store on it', () => {
  assert.deepEqual(held({ kind: 'cut', target: 'agents:1' }), ['agents:1']);
  assert.ok(held({ kind: 'disk-full', target: 'postgres-disk', forMs: 1 }).includes('postgres'));
  assert.ok(held({ kind: 'outage', target: 'stores', forMs: 1, clockMs: 1 }).includes('cassandra'));
});
