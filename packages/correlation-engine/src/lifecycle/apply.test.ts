import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunKind } from '../evidence/model/terms.js';
import { repeat } from '../evidence/testing/batches.js';
import { configWith } from '../evidence/testing/config.js';
import { DAY_US, deviceIdOf, eventNames, Fleet, openOf, SECOND_US, sentWork } from './testing/fleet.js';

const ID = deviceIdOf('n1');

test('from the first wrong result to quarantine, through burst, gates and dwell', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  const first = fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  assert.equal(fleet.device(ID).state, 'SUSPECT');
  assert.deepEqual(sentWork(first), [{ kind: 'burst', family: 1, sm: 1, executions: 1000, windowMs: 60_000 }]);
  assert.deepEqual(eventNames(first), ['mismatch', 'state_changed']);

  fleet.answer('n1');
  const gates = fleet.device(ID).gates.map((gate) => `${gate.number} ${gate.name} ${gate.verdict}`);
  assert.deepEqual(gates, [
    '1 integrity PASS',
    '2 locality PASS',
    '3 cohort PASS',
    '4 dwell HOLD',
    '5 breadth NOT_EVALUABLE',
    '6 node NOT_EVALUABLE',
    '7 rate-limit PASS',
  ]);
  fleet.advance(9 * SECOND_US);
  assert.equal(fleet.device(ID).state, 'SUSPECT', 'the dwell of 10 s is not over');
  fleet.advance(2 * SECOND_US);
  assert.equal(fleet.device(ID).state, 'QUARANTINED');
  assert.equal(openOf(fleet.device(ID), 'burst'), undefined, 'its work is cancelled');
  assert.equal(openOf(fleet.device(ID), 'deep-test'), undefined, 'the failing build still runs');
});

test('a suspicion that no burst confirms ends after 7 days of watching', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  const { id } = fleet.open(ID, 'burst');
  const done = fleet.batch('n1', repeat(1000, { kind: RunKind.BURST, single: 1, directive: id }));
  const untilUs = fleet.nowUs + 7 * DAY_US;
  assert.deepEqual(sentWork(done), [{ kind: 'follow-up', family: 1, sm: 1, intervalMs: 1000, untilUs }]);
  fleet.advance(6 * DAY_US);
  fleet.cleanRuns('n1', 500_000);
  fleet.advance(DAY_US - SECOND_US);
  assert.equal(fleet.device(ID).state, 'SUSPECT');
  fleet.advance(2 * SECOND_US);
  assert.equal(fleet.device(ID).state, 'HEALTHY');
  const { units, lastObservationUs } = fleet.device(ID);
  assert.deepEqual(
    units.map(({ sm, counted, clean }) => [sm, counted, clean]),
    [[1, 0, 0]],
    'the unit stays known, and nothing is held against it',
  );
  assert.equal(lastObservationUs, null);
});

test('a mismatch of the follow-up answers the first as well as one of the burst', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  fleet.batch('n1', repeat(1000, { kind: RunKind.BURST, single: 1, directive: fleet.open(ID, 'burst').id }));
  fleet.advance(3 * DAY_US);
  const { id } = fleet.open(ID, 'follow-up');
  fleet.batch('n1', [{ kind: RunKind.FOLLOW_UP, single: 1, directive: id, fails: [{ sm: 1 }] }]);
  assert.equal(fleet.device(ID).state, 'QUARANTINED');
});

test('a test build quarantines, its successor clears: 1,000 clean executions of the failing unit', () => {
  const fleet = new Fleet();
  fleet.quarantined('n1', { buildId: 'test-1', testBuild: true });
  assert.equal(fleet.device(ID).state, 'QUARANTINED');
  fleet.commit({ kind: 'node-left', node: 'n1' });
  const back = fleet.hello('n1', { buildId: 'build-2' });
  assert.deepEqual(sentWork(back), [
    { kind: 'deep-test', units: [{ family: 1, sm: 1, executions: 1000 }], sweepSeconds: 0, preferHot: false },
  ]);
  assert.equal(fleet.device(ID).injectedEvidence, true);
  fleet.deepTestRuns('n1', 999);
  assert.equal(fleet.device(ID).state, 'DEEP_TEST');
  assert.equal(fleet.device(ID).units[0]?.deepTestClean, 999);
  const last = fleet.deepTestRuns('n1', 1);
  assert.equal(fleet.device(ID).state, 'HEALTHY');
  assert.equal(last.transitions[0]?.injected, true, 'the way back is part of the injected story');
  assert.equal(fleet.device(ID).injectedEvidence, false);
});

test('observe mode decides and records once, and orders nothing', () => {
  const fleet = new Fleet(configWith({}, { mode: 'observe' }));
  fleet.quarantined('n1');
  const device = fleet.device(ID);
  assert.equal(device.state, 'SUSPECT');
  assert.equal(device.wouldBe, 'QUARANTINED');
  fleet.answer('n1');
  fleet.advance(60 * SECOND_US);
  const decisions = fleet.committed
    .flatMap(({ effects }) => eventNames(effects))
    .filter((name) => name === 'would_quarantine');
  assert.equal(decisions.length, 1);
  assert.notEqual(openOf(device, 'burst'), undefined, 'its work goes on');
  fleet.configure(configWith({}, { mode: 'enforce' }));
  assert.equal(fleet.device(ID).state, 'QUARANTINED');
});
