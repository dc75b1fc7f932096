import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviceIdOf, eventNames, Fleet, SECOND_US } from '../lifecycle/testing/fleet.js';

const NODES = ['n1', 'n2', 'n3', 'n4'];
const DAY_US = 86_400 * SECOND_US;

/** The same software fault on some nodes: the same wrong digest on every SM. */
function softwareFault(fleet: Fleet, node: string) {
  return fleet.batch(node, [{ fails: [{ sm: 0, actualDigest: 7, siblingsPassed: 0, siblingsSameDigest: 3 }] }]);
}

function fleetOfFour(): Fleet {
  const fleet = new Fleet();
  for (const node of NODES) fleet.hello(node);
  return fleet;
}

test('three newly failing nodes declare one incident, once', () => {
  const fleet = fleetOfFour();
  const names = NODES.flatMap((node) => eventNames(softwareFault(fleet, node)));
  assert.deepEqual(
    names.filter((name) => name !== 'mismatch'),
    ['breadth_incident_opened'],
  );
  assert.equal(Object.keys(fleet.state.fleet.incidents).length, 1);
  assert.ok(
    NODES.every((node) => fleet.device(deviceIdOf(node)).state === 'HEALTHY'),
    'nobody is accused',
  );
});

test('an incident holds devices that would be quarantined, and closes after 7 quiet days', () => {
  const fleet = fleetOfFour();
  for (const node of NODES.slice(0, 3)) fleet.failTwice(node);
  fleet.advance(700 * SECOND_US);
  const states = () => NODES.slice(0, 3).map((node) => fleet.device(deviceIdOf(node)).state);
  assert.deepEqual(states(), ['SUSPECT', 'SUSPECT', 'SUSPECT']);
  assert.equal(fleet.device(deviceIdOf('n1')).gates[4]?.verdict, 'HOLD');
  fleet.advance(8 * DAY_US);
  assert.deepEqual(fleet.state.fleet.incidents, {});
  assert.ok(states().includes('QUARANTINED'), 'what was held is decided then');
});

test('a node that fails again and again is one newly failing node', () => {
  const fleet = fleetOfFour();
  for (let i = 0; i < 9; i += 1) softwareFault(fleet, 'n1');
  assert.deepEqual(
    Object.values(fleet.state.fleet.breadth).map((entries) => entries.length),
    [1],
  );
  assert.deepEqual(fleet.state.fleet.incidents, {});
});
