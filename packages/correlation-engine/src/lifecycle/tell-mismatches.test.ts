import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SMS } from '../evidence/testing/batches.js';
import { MISMATCHES_IN_FULL, SUM_EVERY_US } from './tell-mismatches.js';
import { Fleet } from './testing/fleet.js';

const MINUTE_US = 60_000_000;

function fresh(): Fleet {
  const fleet = new Fleet();
  fleet.hello('n1');
  return fleet;
}

function flood(fleet: Fleet, mismatches: number): void {
  fleet.batch(
    'n1',
    Array.from({ length: mismatches }, (_, index) => ({ index, fails: [{ sm: 1 }] })),
  );
}

/** Entries of the ledger so far: mismatches told one by one, and the sums. */
function told(fleet: Fleet) {
  const events = fleet.committed.flatMap(({ effects }) => effects.outbox.map(({ detail }) => detail));
  const sums = events.filter(({ event }) => event === 'mismatches_more');
  const inFull = events.filter(({ event }) => event === 'mismatch').length;
  return { inFull, sums, all: inFull + sums.reduce((sum, { mismatches }) => sum + Number(mismatches), 0) };
}

function observed(fleet: Fleet): number {
  return fleet.committed.reduce((sum, { effects }) => sum + effects.observations.length, 0);
}

test('the first mismatches are entries of their own, one sum tells of the others, and each is told once', () => {
  const fleet = fresh();
  flood(fleet, 40);
  assert.equal(told(fleet).inFull, MISMATCHES_IN_FULL);
  assert.equal(told(fleet).sums.length, 0, 'not before it is time');
  fleet.advance(SUM_EVERY_US);
  const [sum] = told(fleet).sums;
  assert.deepEqual(
    [sum?.['mismatches'], sum?.['counted'], sum?.['families']],
    [40 - MISMATCHES_IN_FULL, 40 - MISMATCHES_IN_FULL, { fma32: 40 - MISMATCHES_IN_FULL }],
  );
  flood(fleet, 3);
  fleet.advance(SUM_EVERY_US);
  assert.equal(told(fleet).sums.length, 2);
  assert.equal(told(fleet).all, observed(fleet));
});

test('a restart in between loses no count', () => {
  const fleet = fresh();
  flood(fleet, 40);
  fleet.restart();
  fleet.advance(SUM_EVERY_US);
  assert.equal(told(fleet).all, 40);
});

test('a storm of a day makes one entry an hour', () => {
  const fleet = fresh();
  for (let minute = 0; minute < 24 * 60; minute += 1) {
    flood(fleet, 2);
    fleet.advance(MINUTE_US);
  }
  fleet.advance(SUM_EVERY_US);
  assert.equal(told(fleet).all, 2 * 24 * 60);
  assert.ok(told(fleet).sums.length <= 25, `${told(fleet).sums.length} sums`);
});

test('after an hour without any the next are told in full again', () => {
  const fleet = fresh();
  flood(fleet, MISMATCHES_IN_FULL);
  fleet.advance(SUM_EVERY_US);
  flood(fleet, MISMATCHES_IN_FULL);
  assert.equal(told(fleet).inFull, 2 * MISMATCHES_IN_FULL);
  assert.equal(told(fleet).sums.length, 0);
});

test('what gates 1 or 2 hold is told in the same way, though the device stays healthy', () => {
  const fleet = fresh();
  const everywhere = SMS.map((sm) => ({ sm, actualDigest: 9, siblingsSameDigest: SMS.length - 1, siblingsPassed: 0 }));
  for (let index = 0; index < 20; index += 1) fleet.batch('n1', [{ index, fails: everywhere }]);
  assert.equal(fleet.device('CPU-n1').state, 'HEALTHY');
  fleet.advance(SUM_EVERY_US);
  assert.equal(told(fleet).all, observed(fleet));
  assert.equal(told(fleet).sums[0]?.['counted'], 0);
});
