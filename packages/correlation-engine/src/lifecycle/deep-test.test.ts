import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunKind } from '../evidence/model.js';
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
  assert.deepEqual(work, [{ kind: 'deep-test', units: [{ family: 1, sm: 1, executions: 600 }], sweepSeconds: 0 }]);
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
  fleet.deepTestRuns('n1', 999);
  assert.equal(fleet.device(ID).state, 'DEEP_TEST');
  fleet.deepTestRuns('n1', 1);
  assert.equal(fleet.device(ID).state, 'HEALTHY');
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
