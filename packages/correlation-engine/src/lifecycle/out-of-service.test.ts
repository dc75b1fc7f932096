import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CoreConfig } from '../evidence/model/settings.js';
import { configWith } from '../evidence/testing/config.js';
import { deviceIdOf, eventNames, Fleet, SECOND_US } from './testing/fleet.js';

const ID = deviceIdOf('n1');
const HOUR_US = 3600 * SECOND_US;

function out(rest: Partial<CoreConfig> = {}): Fleet {
  const fleet = new Fleet(configWith({}, { maxQuarantineHours: 10, approvalExpiryHours: 5, ...rest }));
  fleet.quarantined('n1');
  return fleet;
}
const waits = (fleet: Fleet) => fleet.device(ID).proposals.map(({ action, cause }) => `${action} ${cause}`);

test('after max_quarantine_hours a condemnation is asked for; only the approval completes it', () => {
  const fleet = out();
  fleet.advance(9.9 * HOUR_US);
  assert.deepEqual(waits(fleet), []);
  fleet.advance(0.2 * HOUR_US);
  assert.deepEqual(waits(fleet), ['CONDEMN max-quarantine']);
  assert.equal(fleet.device(ID).state, 'QUARANTINED');
  fleet.answerProposal(fleet.pending(ID, 'CONDEMN').id, 'APPROVE');
  assert.equal(fleet.device(ID).state, 'CONDEMNED');
});

test('rejected or not answered, it is asked for again as many hours later, and the engine never condemns', () => {
  const fleet = out();
  fleet.advance(11 * HOUR_US);
  fleet.answerProposal(fleet.pending(ID, 'CONDEMN').id, 'REJECT');
  fleet.advance(9 * HOUR_US);
  assert.deepEqual(waits(fleet), []);
  fleet.advance(1.1 * HOUR_US);
  assert.deepEqual(waits(fleet), ['CONDEMN max-quarantine']);
  fleet.advance(6 * HOUR_US);
  assert.deepEqual(waits(fleet), [], 'expired');
  fleet.advance(1000 * HOUR_US);
  assert.equal(fleet.device(ID).state, 'QUARANTINED');
});

test('deep tests in between do not start the hours again', () => {
  const fleet = out();
  fleet.advance(6 * HOUR_US);
  fleet.hello('n1', { buildId: 'build-2' });
  fleet.deepTestRuns('n1', 5);
  fleet.hello('n1', { buildId: 'test-1', testBuild: true });
  fleet.advance(4.1 * HOUR_US);
  assert.deepEqual(waits(fleet), ['CONDEMN max-quarantine']);
});

test('observe mode only says what it would ask, and enforce mode asks then', () => {
  const fleet = out();
  fleet.configure(configWith({}, { mode: 'observe', maxQuarantineHours: 10 }));
  fleet.advance(11 * HOUR_US);
  assert.deepEqual([fleet.device(ID).wouldBe, waits(fleet)], ['CONDEMNED', []]);
  fleet.configure(configWith({}, { maxQuarantineHours: 10 }));
  assert.deepEqual([fleet.device(ID).wouldBe, waits(fleet)], [null, ['CONDEMN max-quarantine']]);
});

test('in observe mode a passed deep test reinstates nobody before the mode changes', () => {
  const fleet = out();
  fleet.hello('n1', { buildId: 'build-2' });
  fleet.configure(configWith({}, { mode: 'observe' }));
  const passed = fleet.deepTestRuns('n1', 1000);
  assert.ok(eventNames(passed).includes('would_reinstate'));
  assert.deepEqual([fleet.device(ID).state, fleet.device(ID).wouldBe], ['QUARANTINED', 'HEALTHY']);
  assert.match(fleet.device(ID).stateReason, / Observe mode leaves it out of service\.$/);
  fleet.configure(configWith({}));
  assert.equal(fleet.device(ID).state, 'HEALTHY');
  assert.match(fleet.device(ID).stateReason, /under build build-2\. Observe mode left it out of service until now\.$/);
});
