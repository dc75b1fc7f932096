import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveUpdate } from '../bus/live-updates.js';
import { MemoryBus } from '../bus/memory-bus.js';
import { MAX_WAITING_UPDATES } from '../bus/subscription.js';
import { BusLog } from '../bus/testing/bus-log.js';
import { Announcer } from './announce.js';

const AT = { node: 'n', reason: 'r', actor: '', injected: false, timeUs: 1 };
const update = (gpu: string): LiveUpdate => ({ kind: 'state', gpu, from: 'HEALTHY', to: 'SUSPECT', ...AT });

const transaction = (from: number, to: number, logged: readonly { updates: readonly LiveUpdate[] }[]) => ({
  rows: { from: { commitSeq: from, nowUs: 0 }, to: { commitSeq: to, nowUs: 0 } },
  logged,
});

test('each says what it follows, and a transaction that this engine did not see breaks the chain', () => {
  const told: number[][] = [];
  const announcer = new Announcer({ publish: ({ after, commitSeq }) => told.push([after, commitSeq]) });
  const something = [{ updates: [update('GPU-1')] }];
  // Another engine committed up to 7, and perhaps said nothing of it.
  announcer.committed(transaction(7, 8, []));
  announcer.committed(transaction(8, 9, something));
  announcer.committed(transaction(9, 12, []));
  announcer.committed(transaction(12, 13, something));
  // 14 was committed and its answer lost: read back, not announced.
  announcer.committed(transaction(14, 15, something));
  assert.deepEqual(told, [
    [7, 9],
    [9, 13],
    [14, 15],
  ]);
});

test('a reader keeps up with a transaction of many records, whatever was waiting for it', async () => {
  const log = new BusLog();
  const bus = new MemoryBus(log);
  const reader = bus.subscribe();
  const records = Array.from({ length: 4 * MAX_WAITING_UPDATES }, (_, i) => ({ updates: [update(`GPU-${i}`)] }));
  const announcer = new Announcer(bus);
  announcer.committed(transaction(1_000, 2_000, records));
  announcer.committed(transaction(2_000, 2_001, [{ updates: [] }]));
  announcer.committed(transaction(2_001, 2_002, [{ updates: [update('last')] }]));
  const first = await reader.next();
  assert.ok(first !== null && first !== 'missed');
  assert.deepEqual([first.commitSeq, first.updates.length], [2_000, records.length]);
  assert.deepEqual(await reader.next(), { after: 2_000, commitSeq: 2_002, updates: [update('last')] });
  assert.deepEqual([reader.end, log.droppedOf('subscriber')], [null, 0]);
});
