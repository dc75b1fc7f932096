import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Inventory, plan } from './plan.js';

const INVENTORY: Inventory = {
  replicas: 3,
  agents: 4,
  stores: ['postgres', 'redis', 'cassandra'],
  disks: ['postgres-disk', 'history-disk'],
};
const OPTIONS = { seed: 7, faults: 400, overMs: 1_000_000, outages: 2 };

test('a plan is the same for the same seed, and another for another', () => {
  assert.deepEqual(plan(OPTIONS, INVENTORY), plan(OPTIONS, INVENTORY));
  assert.notDeepEqual(plan(OPTIONS, INVENTORY), plan({ ...OPTIONS, seed: 8 }, INVENTORY));
});

test('it has as many faults as it is told, in order and within its time, and every kind of them', () => {
  const planned = plan(OPTIONS, INVENTORY);
  assert.equal(planned.length, 400);
  assert.ok(planned.every(({ atMs }, index) => atMs <= 1_000_000 && atMs >= (planned[index - 1]?.atMs ?? 0)));
  const kinds = new Set(planned.map(({ fault }) => fault.kind));
  assert.deepEqual([...kinds].sort(), [
    'agent-clock',
    'crash',
    'cut',
    'deaf',
    'disk-full',
    'end',
    'end-connections',
    'engine-clock',
    'freeze',
    'kill',
    'lost-answers',
    'mute',
    'narrow',
    'outage',
    'refuse',
    'slow',
    'stall',
    'stop',
  ]);
  assert.equal(planned.filter(({ fault }) => fault.kind === 'outage').length, 2);
});

test('only what is there is hurt', () => {
  const small = plan({ ...OPTIONS, outages: 0 }, { replicas: 1, agents: 1, stores: ['postgres'], disks: [] });
  const targets = new Set<string>(small.map(({ fault }) => fault.target));
  assert.deepEqual([...targets].sort(), [
    'agent-0',
    'agents:0',
    'ledger',
    'postgres',
    'postgres:0',
    'replica-0',
    'replicas:0',
  ]);
});
