import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventDetail } from '../evidence/effects.js';
import { FMA32, INT_AES } from '../evidence/testing/batches.js';
import { deviceIdOf, Fleet, SECOND_US } from './testing/fleet.js';

const HOUR_US = 3600 * SECOND_US;
const ID = deviceIdOf('n1');

function told(fleet: Fleet): EventDetail[] {
  const events = fleet.committed.flatMap(({ effects }) => effects.outbox.map(({ detail }) => detail));
  return events.filter(({ event }) => event === 'coverage');
}

function fresh(): Fleet {
  const fleet = new Fleet();
  fleet.hello('n1');
  return fleet;
}

test('what a node ran in an hour is told once, with its first runs of the next: by family and result', () => {
  const fleet = fresh();
  fleet.batch('n1', [{}, { ran: [0, 1] }, { family: INT_AES, fails: [{ sm: 0 }] }]);
  fleet.advance(1800 * SECOND_US);
  fleet.batch('n1', [{ single: 3 }]);
  assert.deepEqual(told(fleet), []);
  const fromUs = Math.floor(fleet.nowUs / HOUR_US) * HOUR_US;
  fleet.advance(fromUs + HOUR_US - fleet.nowUs);
  fleet.batch('n1', [{}]);
  assert.deepEqual(told(fleet), [
    {
      event: 'coverage',
      node: 'n1',
      from_us: fromUs,
      until_us: fromUs + HOUR_US,
      runs: 4,
      pass: 10,
      fail: 1,
      not_run: 2,
      columns: ['runs', 'pass', 'fail', 'not_run', 'sms'],
      gpus: { [ID]: { sms: 4, families: { fma32: [3, 7, 0, 2, 4], int_aes: [1, 3, 1, 0, 4] } } },
    },
  ]);
});

test('of a node that fell silent it is told after a while; what comes late is another part of its hour', () => {
  const fleet = fresh();
  fleet.batch('n1', [{}]);
  const startUs = fleet.nowUs;
  fleet.advance(2 * HOUR_US);
  assert.deepEqual(
    told(fleet).map(({ from_us: from, runs }) => [from, runs]),
    [[startUs, 1]],
  );
  // Out of its spool.
  fleet.batch('n1', [{}, {}], startUs + 60 * SECOND_US);
  fleet.advance(HOUR_US);
  assert.deepEqual(
    told(fleet).map(({ from_us: from, runs }) => [from, runs]),
    [
      [startUs, 1],
      [startUs, 2],
    ],
  );
  fleet.advance(30 * HOUR_US);
  assert.equal(told(fleet).length, 2);
});

test('a run that was reported is in exactly one event, whatever the hours', () => {
  const fleet = fresh();
  fleet.hello('n2');
  let runs = 0;
  for (let i = 0; i < 200; i += 1) {
    const node = i % 3 === 0 ? 'n2' : 'n1';
    const count = 1 + (i % 4);
    fleet.batch(
      node,
      Array.from({ length: count }, () => ({ family: i % 2 === 0 ? FMA32 : INT_AES })),
    );
    runs += count;
    fleet.advance(((i * 7919) % 5000) * SECOND_US);
  }
  fleet.advance(2 * HOUR_US);
  assert.equal(
    told(fleet).reduce((sum, event) => sum + Number(event['runs']), 0),
    runs,
  );
  const hours = told(fleet).map(({ node, from_us: from }) => `${String(node)} ${String(from)}`);
  assert.equal(new Set(hours).size, hours.length);
});

test('what a test build ran is marked', () => {
  const fleet = new Fleet();
  fleet.hello('n1', { testBuild: true });
  fleet.batch('n1', [{}]);
  fleet.advance(2 * HOUR_US);
  const events = fleet.committed.flatMap(({ effects }) => effects.outbox);
  const [coverage] = events.filter(({ detail }) => detail.event === 'coverage');
  assert.equal(coverage?.injected, true);
});
