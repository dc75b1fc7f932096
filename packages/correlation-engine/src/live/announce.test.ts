import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveUpdate } from '../bus/live-updates.js';
import { MemoryBus } from '../bus/memory-bus.js';
import { MAX_WAITING_UPDATES } from '../bus/subscription.js';
import { BusLog } from '../bus/testing/bus-log.js';
import { publish } from './announce.js';

const AT = { node: 'n', reason: 'r', actor: '', injected: false, timeUs: 1 };
const update = (gpu: string): LiveUpdate => ({ kind: 'state', gpu, from: 'HEALTHY', to: 'SUSPECT', ...AT });

test('a reader keeps up with a transaction of many records, whatever was waiting for it', async () => {
  const log = new BusLog();
  const bus = new MemoryBus(log);
  const reader = bus.subscribe();
  const records = Array.from({ length: 4 * MAX_WAITING_UPDATES }, (_, i) => ({ updates: [update(`GPU-${i}`)] }));
  publish(bus, 2_000, records);
  publish(bus, 2_001, [{ updates: [] }]);
  publish(bus, 2_002, [{ updates: [update('last')] }]);
  const first = await reader.next();
  assert.ok(first !== null && first !== 'missed');
  assert.deepEqual([first.commitSeq, first.updates.length], [2_000, records.length]);
  assert.deepEqual(await reader.next(), { commitSeq: 2_002, updates: [update('last')] });
  assert.deepEqual([reader.end, log.droppedOf('subscriber')], [null, 0]);
});
