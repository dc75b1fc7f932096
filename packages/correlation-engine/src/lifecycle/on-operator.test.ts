import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OperatorAction } from '../evidence/model/orders.js';
import { configWith } from '../evidence/testing/config.js';
import { deviceIdOf, Fleet, openOf, sentWork } from './testing/fleet.js';

const ID = deviceIdOf('n1');
type Start = 'HEALTHY' | 'SUSPECT' | 'QUARANTINED' | 'DEEP_TEST' | 'CONDEMNED';

function fleetIn(state: Start): Fleet {
  const fleet = new Fleet();
  if (state === 'HEALTHY') fleet.hello('n1');
  else if (state === 'SUSPECT') {
    fleet.hello('n1');
    fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  } else fleet.quarantined('n1');
  if (state === 'DEEP_TEST') {
    fleet.hello('n1', { buildId: 'build-2' });
    fleet.deepTestRuns('n1', 1);
  }
  if (state === 'CONDEMNED') fleet.operator(ID, 'CONDEMN');
  assert.equal(fleet.device(ID).state, state);
  return fleet;
}

// State after the order; '-' = refused.
const table: [Start, Record<OperatorAction, string>][] = [
  ['HEALTHY', { QUARANTINE: 'QUARANTINED', REINSTATE: '-', SCHEDULE_DEEP_TEST: '-', CONDEMN: '-' }],
  ['SUSPECT', { QUARANTINE: 'QUARANTINED', REINSTATE: 'HEALTHY', SCHEDULE_DEEP_TEST: '-', CONDEMN: '-' }],
  ['QUARANTINED', { QUARANTINE: '-', REINSTATE: 'HEALTHY', SCHEDULE_DEEP_TEST: 'QUARANTINED', CONDEMN: 'CONDEMNED' }],
  ['DEEP_TEST', { QUARANTINE: '-', REINSTATE: 'HEALTHY', SCHEDULE_DEEP_TEST: '-', CONDEMN: 'CONDEMNED' }],
  ['CONDEMNED', { QUARANTINE: '-', REINSTATE: '-', SCHEDULE_DEEP_TEST: '-', CONDEMN: '-' }],
];
for (const [state, orders] of table) {
  for (const [action, expected] of Object.entries(orders) as [OperatorAction, string][]) {
    test(`${action} of a ${state} device: ${expected === '-' ? 'refused' : expected}`, () => {
      const fleet = fleetIn(state);
      const before = JSON.stringify(fleet.saved());
      const { refusal, transitions } = fleet.operator(ID, action);
      if (expected === '-') {
        assert.equal(refusal?.code, 'ILLEGAL_TRANSITION');
        assert.notEqual(refusal?.hint, '');
        assert.equal(JSON.stringify(fleet.saved()), before, 'a refused order changes nothing');
      } else {
        assert.equal(refusal, null);
        assert.equal(fleet.device(ID).state, expected);
        if (expected !== state)
          assert.deepEqual(
            transitions.map(({ actor, reason }) => [actor, reason]),
            [['alice', 'because']],
          );
      }
    });
  }
}

test('an unknown device is not found', () => {
  assert.equal(new Fleet().operator('CPU-x', 'QUARANTINE').refusal?.code, 'NOT_FOUND');
});

test('an order is carried out in observe mode too, and its quarantine waits for an operator', () => {
  const fleet = new Fleet(configWith({}, { mode: 'observe' }));
  fleet.hello('n1');
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  fleet.operator(ID, 'QUARANTINE');
  assert.equal(fleet.device(ID).state, 'QUARANTINED');
  assert.equal(openOf(fleet.device(ID), 'burst'), undefined);
  assert.deepEqual(sentWork(fleet.hello('n1', { buildId: 'build-2' })), []);
  assert.equal(sentWork(fleet.operator(ID, 'SCHEDULE_DEEP_TEST')).length, 1);
});

test('a deep test is refused where it could prove nothing', () => {
  const without = fleetIn('HEALTHY');
  without.operator(ID, 'QUARANTINE');
  assert.match(without.operator(ID, 'SCHEDULE_DEEP_TEST').refusal?.message ?? '', /no failing unit/);
  const injected = new Fleet();
  injected.quarantined('n1', { testBuild: true });
  assert.match(injected.operator(ID, 'SCHEDULE_DEEP_TEST').refusal?.message ?? '', /test build/);
});

test('reinstating answers for the evidence; the unit stays known, on probation', () => {
  const fleet = fleetIn('QUARANTINED');
  fleet.operator(ID, 'REINSTATE');
  const { units, gates, injectedEvidence, failingBuildIds, firstObservationUs } = fleet.device(ID);
  assert.deepEqual([gates, injectedEvidence, failingBuildIds, firstObservationUs], [[], false, [], null]);
  assert.deepEqual(
    units.map(({ counted, answers, reinstatedUs }) => [counted, answers, reinstatedUs]),
    [[0, 0, fleet.nowUs]],
  );
});
