import assert from 'node:assert/strict';
import { test } from 'node:test';
import { posteriorOdds } from '../evidence/decision.js';
import { begin } from '../evidence/draft.js';
import { RunKind } from '../evidence/model/terms.js';
import { columns, INT_AES, repeat } from '../evidence/testing/batches.js';
import { CONFIG, configWith } from '../evidence/testing/config.js';
import { deviceIdOf, eventNames, Fleet, openOf, SECOND_US, sentWork } from './testing/fleet.js';

const ID = deviceIdOf('n1');

/** Quarantined under a test build; the ordinary build is back and its deep test is ordered. */
function underTest(config = CONFIG): Fleet {
  const fleet = new Fleet(config);
  fleet.quarantined('n1', { buildId: 'test-1', testBuild: true });
  fleet.hello('n1', { buildId: 'build-2' });
  return fleet;
}

test('no deep test for the failing build, for a test build, or twice', () => {
  const fleet = new Fleet();
  fleet.quarantined('n1', { buildId: 'build-1' });
  assert.deepEqual(sentWork(fleet.hello('n1', { buildId: 'build-1' })), []);
  assert.deepEqual(sentWork(fleet.hello('n1', { buildId: 'test-2', testBuild: true })), []);
  const scheduled = fleet.hello('n1', { buildId: 'build-2' });
  assert.ok(eventNames(scheduled).includes('deep_test_scheduled'));
  const repeated = fleet.hello('n1', { buildId: 'build-2' });
  assert.equal(sentWork(repeated).length, 1, 'a reconnect repeats the one there is');
  assert.ok(!eventNames(repeated).includes('deep_test_scheduled'));
});

test('the count survives a reconnect, and the directive says what remains', () => {
  const fleet = underTest();
  fleet.deepTestRuns('n1', 400);
  fleet.restart();
  const work = sentWork(fleet.hello('n1', { buildId: 'build-2' }));
  assert.deepEqual(work, [
    { kind: 'deep-test', units: [{ family: 1, sm: 1, executions: 600 }], sweepSeconds: 0, preferHot: false },
  ]);
  fleet.deepTestRuns('n1', 600);
  assert.equal(fleet.device(ID).state, 'HEALTHY');
});

test('a failure ends it, and the next count starts at 0', () => {
  const fleet = underTest();
  fleet.deepTestRuns('n1', 999);
  const failed = fleet.deepTestRuns('n1', 1, { fails: [{ sm: 1 }] });
  assert.deepEqual(
    failed.transitions.map((move) => `${move.from} ${move.to}`),
    ['DEEP_TEST QUARANTINED'],
  );
  assert.equal(fleet.device(ID).units[0]?.deepTestClean, 0);
  assert.deepEqual(sentWork(fleet.hello('n1', { buildId: 'build-2' })), [], 'that build failed too');
  fleet.operator(ID, 'SCHEDULE_DEEP_TEST');
  const { id, units } = fleet.open(ID, 'deep-test');
  const needed = units[0]?.executions ?? 0;
  assert.ok(needed > 1000, 'it failed 3 times in 1,002 runs');
  fleet.cleanRuns('n1', needed - 1, id);
  assert.equal(fleet.device(ID).state, 'DEEP_TEST');
  fleet.deepTestRuns('n1', 1);
  assert.equal(fleet.device(ID).state, 'HEALTHY');
});

test('clean runs in other circumstances than the failures weigh less', () => {
  const fleet = new Fleet();
  const hot = { context: { temperatureC: 75, powerW: undefined } };
  fleet.hello('n1');
  fleet.batch('n1', [{ fails: [{ sm: 1 }], ...hot }]);
  const { id } = fleet.open(ID, 'burst');
  fleet.batch('n1', [{ kind: RunKind.BURST, single: 1, directive: id, index: 1, fails: [{ sm: 1 }], ...hot }]);
  fleet.advance(11 * SECOND_US);
  const [work] = sentWork(fleet.hello('n1', { buildId: 'build-2' }));
  assert.ok(work?.kind === 'deep-test' && work.preferHot, 'the agent is asked for warmth');
  fleet.deepTestRuns('n1', 1000);
  const [unit] = fleet.device(ID).units;
  assert.deepEqual([fleet.device(ID).state, unit?.deepTestClean, unit?.deepTestOther], ['DEEP_TEST', 0, 1000]);
  fleet.deepTestRuns('n1', 899, hot);
  assert.equal(fleet.device(ID).state, 'DEEP_TEST');
  fleet.deepTestRuns('n1', 1, hot);
  assert.equal(fleet.device(ID).state, 'HEALTHY');
});

test('what a deep test cleared goes back with odds of 0.01 and on probation, and the ledger knows', () => {
  const fleet = new Fleet();
  fleet.quarantined('n1');
  fleet.hello('n1', { buildId: 'build-2' });
  const passed = fleet.passDeepTest('n1');
  assert.deepEqual(eventNames(passed).slice(-2), ['state_changed', 'probation_began']);
  const [unit] = fleet.device(ID).units;
  assert.deepEqual([unit?.counted, unit?.reinstatedUs], [0, fleet.nowUs]);
  const { odds } = posteriorOdds.assess(fleet.device(ID), null, fleet.nowUs, begin(fleet.state)).units[0] ?? {};
  assert.ok(Math.abs((odds ?? 0) / 0.01 - 1) < 1e-9);
});

test('what a test build made up leaves nothing behind', () => {
  const fleet = underTest();
  fleet.passDeepTest('n1');
  assert.deepEqual([fleet.device(ID).state, fleet.device(ID).units], ['HEALTHY', []]);
});

test('a fault that a deep test shows again is proposed for condemnation; nothing does it but a human', () => {
  const fleet = underTest();
  fleet.deepTestRuns('n1', 10);
  const failed = fleet.deepTestRuns('n1', 1, { fails: [{ sm: 1 }] });
  assert.deepEqual(eventNames(failed).slice(-2), ['state_changed', 'approval_requested']);
  const { id, cause } = fleet.pending(ID, 'CONDEMN');
  assert.equal(cause, 'reproduced');
  assert.equal(fleet.device(ID).state, 'QUARANTINED');
  fleet.answerProposal(id, 'APPROVE');
  assert.equal(fleet.device(ID).state, 'CONDEMNED');
});

test('a condemnation that an operator rejected is not proposed again by the next failing test', () => {
  const fleet = underTest();
  fleet.deepTestRuns('n1', 1, { fails: [{ sm: 1 }] });
  fleet.answerProposal(fleet.pending(ID, 'CONDEMN').id, 'REJECT');
  fleet.operator(ID, 'SCHEDULE_DEEP_TEST');
  fleet.deepTestRuns('n1', 1, { fails: [{ sm: 1 }] });
  assert.deepEqual(fleet.device(ID).proposals, []);
});

test('one that is software after all, or not likely enough, proposes nothing', () => {
  const fleet = underTest();
  fleet.deepTestRuns('n1', 10, {});
  fleet.deepTestRuns('n1', 1, { fails: [{ sm: 1, siblingsRun: 3, siblingsPassed: 0, siblingsSameDigest: 3 }] });
  assert.deepEqual([fleet.device(ID).state, fleet.device(ID).proposals], ['QUARANTINED', []]);
});

test('a device that would go back with a low score waits for an operator', () => {
  const fleet = new Fleet(configWith({}, { thresholds: { suspect: 0.95, quarantine: 0.8, healthy: 0.9895 } }));
  fleet.quarantined('n1');
  fleet.hello('n1', { buildId: 'build-2' });
  fleet.passDeepTest('n1');
  const { cause, reason } = fleet.pending(ID, 'REINSTATE');
  assert.equal(cause, 'low-score');
  assert.match(reason, /score would be 0\.98\d, and 0\.9895 is needed/);
  fleet.hello('n1', { buildId: 'build-2' });
  assert.equal(openOf(fleet.device(ID), 'deep-test'), undefined);
});

test('a wrong result of a scheduled run during the test ends it as well', () => {
  const fleet = underTest();
  fleet.deepTestRuns('n1', 10);
  fleet.batch('n1', [{ fails: [{ sm: 3 }] }]);
  assert.equal(fleet.device(ID).state, 'QUARANTINED');
});

test('what the spool of the failing build still held is no failure of the test, but its units have to pass too', () => {
  const fleet = underTest();
  const late = { ...fleet.origin('n1'), buildId: 'test-1', testBuild: true };
  const batch = columns(fleet.nowUs, ID, [{ family: INT_AES, fails: [{ sm: 2 }] }]);
  const extended = fleet.commit({ kind: 'batch', ...late, batch });
  assert.equal(sentWork(extended).length, 1);
  assert.equal(fleet.open(ID, 'deep-test').units.length, 2);
  fleet.deepTestRuns('n1', 1000);
  assert.equal(fleet.device(ID).state, 'DEEP_TEST');
  fleet.deepTestRuns('n1', 1000, { family: INT_AES, single: 2 });
  assert.equal(fleet.device(ID).state, 'HEALTHY');
});

test('a test build that takes over ends it without an answer', () => {
  const fleet = underTest();
  fleet.deepTestRuns('n1', 500);
  fleet.hello('n1', { buildId: 'test-1', testBuild: true });
  assert.equal(fleet.device(ID).state, 'QUARANTINED');
  assert.equal(openOf(fleet.device(ID), 'deep-test'), undefined);
  fleet.hello('n1', { buildId: 'build-2' });
  assert.equal(fleet.device(ID).units[0]?.deepTestClean, 0);
});

test('only ordered runs of an ordinary build count', () => {
  const fleet = underTest();
  const { id } = fleet.open(ID, 'deep-test');
  fleet.batch('n1', repeat(1000, { single: 1 }));
  fleet.batch('n1', repeat(1000, { single: 1, kind: RunKind.DEEP_TEST }));
  fleet.batch('n1', repeat(1000, { single: 1, directive: id }));
  const injected = columns(fleet.nowUs, ID, repeat(1000, { single: 1, kind: RunKind.DEEP_TEST, directive: id }));
  fleet.commit({ kind: 'batch', ...fleet.origin('n1'), testBuild: true, batch: injected });
  assert.equal(fleet.device(ID).units[0]?.deepTestClean, 0);
});

test('with a sweep, the device comes back when its time is over and every family ran on every SM', () => {
  const fleet = underTest(configWith({ deep_test_seconds: 60 }));
  fleet.deepTestRuns('n1', 1000);
  const { id } = fleet.open(ID, 'deep-test');
  const sweep = { kind: RunKind.DEEP_TEST, directive: id };
  fleet.batch('n1', [sweep]);
  fleet.advance(61 * SECOND_US);
  assert.equal(fleet.device(ID).state, 'DEEP_TEST', 'one family has not run');
  fleet.batch('n1', [{ ...sweep, family: INT_AES }]);
  assert.equal(fleet.device(ID).state, 'HEALTHY');
});
