import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviceIdOf, eventNames, Fleet, SECOND_US } from '../lifecycle/testing/fleet.js';
import { repeat } from './testing/batches.js';
import { configWith } from './testing/config.js';

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
  assert.deepEqual(
    fleet.state.fleet.incidents.map(({ state, nodeCount, pattern }) => [state, nodeCount, pattern]),
    [['OPEN', 4, 'PROBE_OR_SOFTWARE']],
  );
  assert.ok(
    NODES.every((node) => fleet.device(deviceIdOf(node)).state === 'HEALTHY'),
    'nobody is accused',
  );
});

const stateOf = (fleet: Fleet, node: string) => fleet.device(deviceIdOf(node)).state;

test('an incident holds what it explains; its end accuses nobody, and clean executions clear them', () => {
  const fleet = fleetOfFour();
  const failing = NODES.slice(0, 3);
  for (const node of failing) fleet.failTwice(node);
  fleet.advance(700 * SECOND_US);
  assert.deepEqual(
    failing.map((node) => stateOf(fleet, node)),
    ['SUSPECT', 'SUSPECT', 'SUSPECT'],
  );
  assert.equal(fleet.device(deviceIdOf('n1')).gates[4]?.verdict, 'HOLD');
  fleet.advance(8 * DAY_US);
  assert.equal(fleet.state.fleet.incidents[0]?.state, 'CLOSED');
  assert.deepEqual(
    failing.map((node) => stateOf(fleet, node)),
    ['SUSPECT', 'SUSPECT', 'SUSPECT'],
  );
  const unit = fleet.device(deviceIdOf('n1')).units[0];
  assert.deepEqual([unit?.counted, unit?.answers, unit?.excused], [0, 0, 2]);
  for (const node of failing) fleet.batch(node, repeat(1000, {}));
  assert.deepEqual(
    failing.map((node) => stateOf(fleet, node)),
    ['HEALTHY', 'HEALTHY', 'HEALTHY'],
  );
});

test('a device that fails again after the incident is judged by that alone', () => {
  const fleet = fleetOfFour();
  for (const node of NODES.slice(0, 3)) fleet.failTwice(node);
  fleet.advance(8 * DAY_US);
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  assert.equal(stateOf(fleet, 'n1'), 'SUSPECT', 'one observation is no answer to an excused one');
  fleet.answer('n1');
  assert.equal(stateOf(fleet, 'n1'), 'QUARANTINED');
});

test('a device that fails in its own way is quarantined during the incident', () => {
  const fleet = fleetOfFour();
  for (const node of NODES.slice(0, 3)) softwareFault(fleet, node);
  fleet.batch('n4', [{ fails: [{ sm: 1, actualDigest: 99 }] }]);
  fleet.answer('n4');
  fleet.advance(700 * SECOND_US);
  assert.equal(stateOf(fleet, 'n4'), 'QUARANTINED');
});

test('other settings may declare what is known already', () => {
  const fleet = new Fleet(configWith({ breadth_nodes: 9 }));
  for (const node of NODES) fleet.hello(node);
  for (const node of NODES) softwareFault(fleet, node);
  assert.deepEqual(fleet.state.fleet.incidents, []);
  assert.deepEqual(eventNames(fleet.configure(configWith({}))), ['configuration_changed', 'breadth_incident_opened']);
});

test('a node that fails again and again is one newly failing node', () => {
  const fleet = fleetOfFour();
  for (let i = 0; i < 9; i += 1) softwareFault(fleet, 'n1');
  assert.deepEqual(
    Object.values(fleet.state.fleet.failing).map(({ nodes }) => nodes.length),
    [1],
  );
  assert.deepEqual(fleet.state.fleet.incidents, []);
});
