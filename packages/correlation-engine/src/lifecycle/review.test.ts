import assert from 'node:assert/strict';
import { test } from 'node:test';
import { posteriorOdds } from '../evidence/decision.js';
import { begin } from '../evidence/draft.js';
import { RunKind } from '../evidence/model/terms.js';
import { repeat } from '../evidence/testing/batches.js';
import { configWith, NO_QUARANTINES } from '../evidence/testing/config.js';
import { DAY_US, describe, deviceIdOf, Fleet, SECOND_US } from './testing/fleet.js';

const ID = deviceIdOf('n1');

test('silence alone clears nobody; the clean executions of a burst do, once 7 days are over', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  const { id } = fleet.open(ID, 'burst');
  fleet.advance(30 * DAY_US);
  assert.equal(fleet.device(ID).state, 'SUSPECT');
  fleet.batch('n1', repeat(1000, { kind: RunKind.BURST, single: 1, directive: id }));
  assert.equal(fleet.device(ID).state, 'SUSPECT', 'a defect that shows once in a thousand runs is still likely');
  fleet.cleanRuns('n1', 100_000);
  assert.equal(fleet.device(ID).state, 'HEALTHY');
});

test('a suspect whose units ran cleanly stays one as long as a defect is likely, and comes back below 0.3', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  fleet.advance(8 * DAY_US);
  const odds = (): number => posteriorOdds.assess(fleet.device(ID), null, fleet.nowUs, begin(fleet.state)).odds;
  while (fleet.device(ID).state === 'SUSPECT') {
    const before = odds();
    fleet.cleanRuns('n1', 1000);
    assert.equal(fleet.device(ID).state === 'HEALTHY', odds() < 0.3 && before >= 0.3);
  }
});

test('a low score makes a suspect without any mismatch, and is no quarantine', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  fleet.configure(configWith({}, { thresholds: { suspect: 0.999, quarantine: 0.9, healthy: 0.98 } }));
  assert.equal(fleet.device(ID).state, 'HEALTHY', 'nothing about it is pending');
  fleet.hello('n1');
  const { state, stateReason, firstObservationUs } = fleet.device(ID);
  assert.deepEqual([state, firstObservationUs], ['SUSPECT', null]);
  assert.match(stateReason, /% likely, so its score is below 0\.999\./);
  fleet.configure(configWith({}));
  fleet.advance(8 * DAY_US);
  assert.equal(fleet.device(ID).state, 'HEALTHY');
});

test('a further mismatch starts the clean executions and the 7 days again', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  fleet.batch('n1', repeat(1000, { kind: RunKind.BURST, single: 1, directive: fleet.open(ID, 'burst').id }));
  fleet.advance(6 * DAY_US);
  fleet.batch('n1', [{ kind: RunKind.RERUN, fails: [{ sm: 1 }] }]);
  assert.equal(fleet.device(ID).units[0]?.clean, 0);
  fleet.batch('n1', repeat(1000, {}));
  fleet.cleanRuns('n1', 3_000_000);
  fleet.advance(2 * DAY_US);
  assert.equal(fleet.device(ID).state, 'SUSPECT');
  fleet.advance(5 * DAY_US);
  assert.equal(fleet.device(ID).state, 'HEALTHY');
});

test('the rate limit lets two in an hour through and holds the third until there is room', () => {
  const fleet = new Fleet(configWith({ small_fleet_nodes: 99, breadth_nodes: 99 }));
  const nodes = ['n1', 'n2', 'n3'];
  for (const node of nodes) fleet.hello(node);
  for (const node of nodes) fleet.failTwice(node);
  fleet.advance(11 * SECOND_US);
  const states = () => nodes.map((node) => fleet.device(deviceIdOf(node)).state);
  assert.deepEqual(states(), ['QUARANTINED', 'QUARANTINED', 'SUSPECT']);
  fleet.advance(3601 * SECOND_US);
  assert.deepEqual(states(), ['QUARANTINED', 'QUARANTINED', 'QUARANTINED']);
});

test("an operator's quarantine uses none of the limit", () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  fleet.operator(ID, 'QUARANTINE');
  assert.deepEqual(fleet.state.fleet.automaticQuarantinesUs, []);
});

test('what a setting holds, the setting lets go', () => {
  const fleet = new Fleet(configWith({ rate_limit: NO_QUARANTINES }));
  fleet.quarantined('n1');
  assert.equal(fleet.device(ID).state, 'SUSPECT');
  fleet.configure(configWith({}));
  assert.equal(fleet.device(ID).state, 'QUARANTINED');
});

test('a second failing device of the node holds the first: the node is suspected', () => {
  const fleet = new Fleet();
  fleet.hello('n1', { devices: [describe(ID), describe('CPU-mate')] });
  fleet.batch('n1', [{ device: 'CPU-mate', fails: [{ sm: 2 }] }]);
  fleet.failTwice('n1');
  fleet.advance(60 * SECOND_US);
  assert.equal(fleet.device(ID).state, 'SUSPECT');
  assert.equal(fleet.device(ID).gates[5]?.verdict, 'HOLD');
});
