import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CoreConfig } from '../evidence/model/settings.js';
import { dueAt } from '../evidence/state.js';
import { CONFIG, configWith } from '../evidence/testing/config.js';
import { LONGEST_WAIT_HOURS } from './schedule-deep-test.js';
import { deviceIdOf, eventNames, Fleet, openOf, SECOND_US, sentWork } from './testing/fleet.js';

const ID = deviceIdOf('n1');
const HOUR_US = 3600 * SECOND_US;

/** Quarantined, and its agent is what it was. */
function out(config: CoreConfig = CONFIG): Fleet {
  const fleet = new Fleet(config);
  fleet.quarantined('n1');
  return fleet;
}

const until = (fleet: Fleet, us: number): void => fleet.advance(us - fleet.nowUs);
const isTested = (fleet: Fleet): boolean => openOf(fleet.device(ID), 'deep-test') !== undefined;
const outOf = (fleet: Fleet) => {
  const { failedTests, testedUs } = fleet.device(ID).out ?? {};
  return [failedTests, testedUs];
};
/** A wrong result in the open deep test, and the answer to what the engine asks then. */
function fails(fleet: Fleet): void {
  fleet.deepTestRuns('n1', 1, { fails: [{ sm: 1 }] });
  const asked = fleet.device(ID).proposals.find(({ action }) => action === 'CONDEMN');
  if (asked !== undefined) fleet.answerProposal(asked.id, 'REJECT');
}

test('an hour after its quarantine a device is tested under the build that failed, and comes back if it passes', () => {
  const fleet = out();
  assert.equal(dueAt(fleet.state), fleet.device(ID).stateSinceUs + HOUR_US);
  until(fleet, fleet.device(ID).stateSinceUs + HOUR_US - SECOND_US);
  assert.ok(!isTested(fleet));
  const before = fleet.committed.length;
  fleet.advance(SECOND_US);
  const made = fleet.committed.slice(before).map(({ effects }) => effects);
  assert.deepEqual(made.flatMap(eventNames), ['deep_test_scheduled']);
  assert.equal(made.flatMap(sentWork)[0]?.kind, 'deep-test');
  fleet.passDeepTest('n1');
  assert.deepEqual([fleet.device(ID).state, fleet.device(ID).out], ['HEALTHY', null]);
});

test('each test that fails doubles the wait for the next, up to a week', () => {
  const fleet = out();
  let waits = 1;
  let sinceUs = fleet.device(ID).stateSinceUs;
  for (let failed = 0; failed < 10; failed += 1) {
    until(fleet, sinceUs + waits * HOUR_US - SECOND_US);
    assert.ok(!isTested(fleet), `${failed} failed, ${waits} h`);
    fleet.advance(SECOND_US);
    assert.ok(isTested(fleet), `${failed} failed, ${waits} h`);
    fails(fleet);
    assert.deepEqual(outOf(fleet), [failed + 1, fleet.nowUs]);
    sinceUs = fleet.nowUs;
    waits = Math.min(2 * waits, LONGEST_WAIT_HOURS);
  }
  assert.equal(waits, 168);
});

test('a restart loses neither the count nor the time', () => {
  const fleet = out();
  fleet.advance(HOUR_US);
  fails(fleet);
  fleet.restart();
  assert.equal(outOf(fleet)[0], 1);
  fleet.advance(2 * HOUR_US - SECOND_US);
  assert.ok(!isTested(fleet));
  fleet.advance(SECOND_US);
  assert.ok(isTested(fleet));
});

test('back in service, the next quarantine counts anew', () => {
  const fleet = out();
  fleet.advance(HOUR_US);
  fails(fleet);
  fleet.operator(ID, 'REINSTATE');
  fleet.failTwice('n1');
  fleet.advance(11 * SECOND_US);
  assert.deepEqual([fleet.device(ID).state, ...outOf(fleet)], ['QUARANTINED', 0, null]);
});

test('none starts while an operator is asked to condemn it; after a refusal the next waits its turn', () => {
  const fleet = out();
  fleet.advance(HOUR_US);
  fleet.deepTestRuns('n1', 1, { fails: [{ sm: 1 }] });
  const { id } = fleet.pending(ID, 'CONDEMN');
  fleet.advance(70 * HOUR_US);
  assert.ok(!isTested(fleet));
  fleet.answerProposal(id, 'REJECT');
  assert.ok(isTested(fleet), 'its wait of two hours is over');
});

test('none starts while an operator is asked to reinstate it, nor after a refusal', () => {
  const fleet = out(configWith({}, { thresholds: { suspect: 0.95, quarantine: 0.8, healthy: 0.9895 } }));
  fleet.advance(HOUR_US);
  fleet.passDeepTest('n1');
  const { id } = fleet.pending(ID, 'REINSTATE');
  fleet.advance(2 * HOUR_US);
  assert.ok(!isTested(fleet));
  fleet.answerProposal(id, 'REJECT');
  fleet.advance(300 * HOUR_US);
  assert.ok(!isTested(fleet));
});

test('an operator who wants to be asked is asked once, and it starts with the approval', () => {
  const fleet = out(configWith({}, { requireApproval: true }));
  fleet.answerProposal(fleet.pending(ID, 'QUARANTINE').id, 'APPROVE');
  fleet.advance(HOUR_US);
  assert.ok(!isTested(fleet));
  const { id, cause } = fleet.pending(ID, 'SCHEDULE_DEEP_TEST');
  assert.equal(cause, 'require-approval');
  fleet.advance(10 * HOUR_US);
  assert.equal(fleet.pending(ID, 'SCHEDULE_DEEP_TEST').id, id);
  fleet.answerProposal(id, 'APPROVE');
  assert.ok(isTested(fleet));
});

test('what an operator rejected does not start by itself when approvals are no longer asked for', () => {
  const fleet = out(configWith({}, { requireApproval: true }));
  fleet.answerProposal(fleet.pending(ID, 'QUARANTINE').id, 'APPROVE');
  fleet.advance(HOUR_US);
  fleet.answerProposal(fleet.pending(ID, 'SCHEDULE_DEEP_TEST').id, 'REJECT');
  fleet.configure(CONFIG);
  fleet.advance(100 * HOUR_US);
  assert.ok(!isTested(fleet));
});

test('one that nobody answered is not asked for again, and starts where no approval is needed any more', () => {
  const fleet = out(configWith({}, { requireApproval: true, approvalExpiryHours: 5 }));
  fleet.answerProposal(fleet.pending(ID, 'QUARANTINE').id, 'APPROVE');
  fleet.advance(100 * HOUR_US);
  assert.deepEqual([isTested(fleet), fleet.device(ID).proposals], [false, []]);
  fleet.configure(CONFIG);
  assert.ok(isTested(fleet));
});

test('0 = none by itself, and the setting may change at any time', () => {
  const fleet = out(configWith({ deep_test_after_hours: 0 }));
  fleet.advance(200 * HOUR_US);
  assert.ok(!isTested(fleet));
  fleet.configure(configWith({ deep_test_after_hours: 168 }));
  assert.ok(isTested(fleet));
});

test("an operator's quarantine and a test build wait for an operator and an ordinary agent", () => {
  const ordered = new Fleet();
  ordered.hello('n1');
  ordered.failTwice('n1');
  ordered.operator(ID, 'QUARANTINE');
  ordered.advance(200 * HOUR_US);
  assert.ok(!isTested(ordered));

  const injected = out();
  injected.hello('n1', { buildId: 'test-1', testBuild: true });
  injected.advance(200 * HOUR_US);
  assert.ok(!isTested(injected));
  injected.hello('n1');
  assert.ok(isTested(injected), 'the ordinary build that failed is back');
});

/** Came back after a deep test, and failed again. */
function again(afterUs: number, config?: CoreConfig): Fleet {
  const fleet = out(config);
  fleet.advance(HOUR_US);
  fleet.passDeepTest('n1');
  fleet.advance(afterUs);
  fleet.failTwice('n1');
  fleet.advance(11 * SECOND_US);
  assert.equal(fleet.device(ID).state, 'QUARANTINED');
  return fleet;
}

test('what failed again on probation is for an operator: no test by time alone, also after an expiry and a restart', () => {
  const fleet = again(10 * HOUR_US);
  assert.match(fleet.pending(ID, 'CONDEMN').reason, /failed again on probation/);
  fleet.restart();
  fleet.advance(300 * HOUR_US);
  assert.deepEqual([isTested(fleet), fleet.device(ID).proposals], [false, []]);
  fleet.hello('n1', { buildId: 'build-2' });
  assert.ok(isTested(fleet), 'another build is another matter');
});

test('after its probation it is tested by itself again', () => {
  const fleet = again(91 * 24 * HOUR_US);
  assert.deepEqual(fleet.device(ID).proposals, []);
  fleet.advance(HOUR_US);
  assert.ok(isTested(fleet));
});

test('an agent that refuses is asked again as late as after a failure, not at once', () => {
  const fleet = out();
  fleet.advance(HOUR_US);
  const { id } = fleet.open(ID, 'deep-test');
  const status = { kind: 'directive-status', node: 'n1', directiveId: id, state: 'REFUSED', reason: 'busy' } as const;
  assert.deepEqual(sentWork(fleet.commit(status)), []);
  assert.ok(!isTested(fleet));
  fleet.advance(2 * HOUR_US);
  assert.ok(isTested(fleet));
});

test('observe mode starts none by itself; enforce mode does what waited, a new build at once', () => {
  const fleet = out();
  fleet.configure(configWith({}, { mode: 'observe' }));
  fleet.advance(100 * HOUR_US);
  fleet.hello('n1', { buildId: 'build-2' });
  assert.deepEqual([isTested(fleet), fleet.device(ID).state, fleet.device(ID).wouldBe], [false, 'QUARANTINED', null]);
  assert.deepEqual(
    fleet.committed.flatMap(({ effects }) => sentWork(effects)).filter(({ kind }) => kind === 'deep-test'),
    [],
  );
  fleet.configure(configWith({ deep_test_after_hours: 0 }));
  assert.ok(isTested(fleet));
});

test('in observe mode an ordered one goes on, and after a failure it is left to an operator', () => {
  const fleet = out();
  fleet.configure(configWith({}, { mode: 'observe', requireApproval: true }));
  fleet.operator(ID, 'SCHEDULE_DEEP_TEST');
  fleet.deepTestRuns('n1', 1, { fails: [{ sm: 1 }] });
  assert.deepEqual([fleet.device(ID).wouldBe, fleet.device(ID).proposals], ['CONDEMNED', []]);
  fleet.advance(100 * HOUR_US);
  assert.ok(!isTested(fleet));
});
