import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunFlag, RunKind } from '../evidence/model/terms.js';
import { CLEAN_FLAGS } from '../evidence/testing/batches.js';
import { describe, deviceIdOf, Fleet, openOf, sentWork } from './testing/fleet.js';

const ID = deviceIdOf('n1');

function fresh(): Fleet {
  const fleet = new Fleet();
  fleet.hello('n1');
  return fleet;
}

test('a mismatch with a loud fault is recorded and accuses nobody', () => {
  const fleet = fresh();
  const { observations } = fleet.batch('n1', [{ flags: CLEAN_FLAGS | RunFlag.LOUD_FAULT, fails: [{ sm: 1 }] }]);
  assert.equal(observations[0]?.heldBy, 'integrity');
  assert.equal(fleet.device(ID).state, 'HEALTHY');
  assert.equal(fleet.device(ID).gates[0]?.verdict, 'HOLD');
});

test('the same wrong digest on many SMs is software: recorded for the breadth of the fault alone', () => {
  const fleet = fresh();
  const { observations } = fleet.batch('n1', [{ fails: [{ sm: 1, siblingsPassed: 0, siblingsSameDigest: 3 }] }]);
  assert.equal(observations[0]?.heldBy, 'locality');
  assert.equal(fleet.device(ID).state, 'HEALTHY');
  assert.equal(Object.values(fleet.state.fleet.failing)[0]?.nodes.length, 1);
});

test('on a device with one SM a mismatch makes a suspect and a burst, and bars quarantine', () => {
  const fleet = new Fleet();
  fleet.hello('n1', { devices: [describe(ID, { sms: [0] })] });
  const alone = { sm: 0, siblingsRun: 0, siblingsPassed: 0 };
  const first = fleet.batch('n1', [{ sms: [0], fails: [alone] }]);
  assert.equal(first.observations[0]?.counted, false);
  assert.equal(sentWork(first).length, 1);
  const { id } = fleet.open(ID, 'burst');
  for (let i = 1; i < 5; i += 1) fleet.batch('n1', [{ kind: RunKind.BURST, single: 0, directive: id, fails: [alone] }]);
  fleet.advance(3_600_000_000);
  assert.equal(fleet.device(ID).state, 'SUSPECT');
  assert.equal(fleet.device(ID).gates[1]?.verdict, 'NOT_EVALUABLE');
});

test('too few siblings pass with differing digests: the device is accused, no unit alone', () => {
  const fleet = fresh();
  fleet.batch('n1', [{ fails: [{ sm: 1, siblingsPassed: 1 }] }]);
  const unit = fleet.device(ID).units[0];
  assert.deepEqual([unit?.counted, unit?.accused], [1, 0]);
  assert.equal(fleet.device(ID).state, 'SUSPECT');
});

test("the agent's rerun is a further observation and no answer; nor is a burst that nobody ordered", () => {
  const fleet = fresh();
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  const rerun = fleet.batch('n1', [{ kind: RunKind.RERUN, single: 1, fails: [{ sm: 1 }] }]);
  const unordered = fleet.batch('n1', [{ kind: RunKind.BURST, single: 1, fails: [{ sm: 1 }] }]);
  for (const { observations } of [rerun, unordered])
    assert.deepEqual([observations[0]?.counted, observations[0]?.answer], [true, false]);
  fleet.advance(3_600_000_000);
  assert.equal(fleet.device(ID).state, 'SUSPECT');
});

test('what an old spool holds of a burst from before the device was cleared answers nothing', () => {
  const fleet = fresh();
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  const { id } = fleet.open(ID, 'burst');
  fleet.nowUs += 1_000_000;
  fleet.operator(ID, 'REINSTATE');
  const late = { kind: RunKind.BURST, single: 1, directive: id, fails: [{ sm: 1 }] };
  const { observations } = fleet.batch('n1', [late, { ...late, index: 1 }]);
  assert.deepEqual(
    observations.map((seen) => seen.answer),
    [false, false],
  );
});

test('everything made from a test build is injected', () => {
  const fleet = new Fleet();
  fleet.hello('n1', { testBuild: true });
  const effects = fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  assert.ok(effects.observations.every((seen) => seen.injected));
  assert.ok(effects.outbox.every((event) => event.injected));
  assert.ok(effects.transitions.every((move) => move.injected));
  fleet.hello('n1', { buildId: 'build-2' });
  assert.equal(fleet.device(ID).injectedEvidence, true, 'also after the test build has gone');
  fleet.batch('n1', [{ kind: RunKind.RERUN, fails: [{ sm: 1 }] }]);
  assert.equal(fleet.device(ID).injectedEvidence, true, 'and after a mismatch that was not injected');
});

test('the gates of a decision stay as they were, whatever comes later', () => {
  const fleet = new Fleet();
  fleet.quarantined('n1');
  const before = fleet.device(ID).gates;
  fleet.batch('n1', [{ flags: CLEAN_FLAGS | RunFlag.LOUD_FAULT, fails: [{ sm: 1 }] }]);
  assert.deepEqual(fleet.device(ID).gates, before);
  assert.equal(openOf(fleet.device(ID), 'burst'), undefined);
});
