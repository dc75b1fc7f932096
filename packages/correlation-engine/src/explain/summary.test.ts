import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunFlag, RunKind } from '../evidence/model/terms.js';
import { repeat } from '../evidence/testing/batches.js';
import { configWith, NO_QUARANTINES } from '../evidence/testing/config.js';
import { deviceIdOf, Fleet, SECOND_US } from '../lifecycle/testing/fleet.js';
import { summarize } from './summary.js';

const ID = deviceIdOf('n1');
const line = (fleet: Fleet) => summarize(fleet.state, fleet.device(ID), fleet.nowUs).summary;

test('one line for each place on the way', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  assert.equal(line(fleet), 'no mismatch');
  fleet.batch('n1', [{ flags: RunFlag.GOLDEN_AGREED, fails: [{ sm: 1 }] }]);
  assert.equal(line(fleet), 'a mismatch was held by a gate and accuses nobody');
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  assert.equal(line(fleet), 'fma32 on SM 1: burst 0 of 1000, dwell holds');
  fleet.advance(11 * SECOND_US);
  const burst = { kind: RunKind.BURST, single: 1, directive: fleet.open(ID, 'burst').id };
  fleet.batch('n1', repeat(999, burst));
  assert.equal(line(fleet), 'fma32 on SM 1: burst 999 of 1000');
  fleet.batch('n1', [burst]);
  assert.equal(line(fleet), 'fma32 on SM 1: under watch');
  fleet.batch('n1', [{ fails: [{ sm: 2 }] }]);
  assert.equal(line(fleet), 'fma32 on SM 1 and 1 more: burst 0 of 1000');
  fleet.answer('n1', 2);
  assert.equal(line(fleet), 'fma32 on SM 1 and 1 more: deep test in 60 min');
  fleet.operator(ID, 'CONDEMN');
  assert.equal(line(fleet), 'fma32 on SM 1 and 1 more: condemned by alice');
});

test('what holds and what would be is said', () => {
  const held = new Fleet(configWith({ rate_limit: NO_QUARANTINES }));
  held.quarantined('n1');
  assert.equal(line(held), 'fma32 on SM 1: burst 1 of 1000, rate-limit holds; QUARANTINE waits for approval');
  const observed = new Fleet(configWith({}, { mode: 'observe' }));
  observed.quarantined('n1');
  assert.equal(line(observed), 'fma32 on SM 1: would be QUARANTINED (observe mode)');
});

test('a quarantine by order, without a failing unit', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  fleet.operator(ID, 'QUARANTINE');
  assert.equal(line(fleet), 'ordered by alice: no deep test scheduled');
});

test('a device that was cleared is not said to have had no mismatch', () => {
  const fleet = new Fleet();
  fleet.quarantined('n1');
  fleet.operator(ID, 'REINSTATE');
  assert.equal(line(fleet), 'no mismatch since it was cleared');
});
