import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configWith } from '../evidence/testing/config.js';
import { ENOUGH_ANSWERS } from './ask.js';
import { DAY_US, deviceIdOf, Fleet, SECOND_US } from './testing/fleet.js';

const NODES = ['n1', 'n2', 'n3', 'n4'];
const ID = deviceIdOf('n1');

function fleetOf(nodes: readonly string[]): Fleet {
  const fleet = new Fleet(configWith({ dwell_small_seconds: 86_400 }));
  for (const node of nodes) fleet.hello(node);
  return fleet;
}

const openOrders = (fleet: Fleet, node: string) =>
  fleet.device(deviceIdOf(node)).directives.filter(({ status }) => status === 'open');

const cancelled = (fleet: Fleet) =>
  fleet.committed.flatMap(({ effects }) => effects.directives.filter(({ op }) => op === 'cancel'));

test('a unit that always fails is not asked for ever, and its agent is told to stop', () => {
  const fleet = fleetOf(['n1']);
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  for (let i = 1; i < ENOUGH_ANSWERS; i += 1) fleet.answer('n1');
  assert.deepEqual([openOrders(fleet, 'n1').length, cancelled(fleet).length], [1, 0]);
  fleet.answer('n1');
  assert.deepEqual([openOrders(fleet, 'n1').length, cancelled(fleet).length], [0, 1]);
  fleet.batch('n1', [{ fails: [{ sm: 1 }, { sm: 2 }] }]);
  assert.deepEqual(openOrders(fleet, 'n1'), [], 'nor for another SM');
  assert.equal(fleet.device(ID).units.find(({ sm }) => sm === 1)?.counted, ENOUGH_ANSWERS + 2, 'evidence goes on');
});

test('what no other SM can check is not asked for ever either', () => {
  const fleet = fleetOf(['n1']);
  const alone = { sm: 1, siblingsRun: 0, siblingsPassed: 0 };
  for (let i = 0; i < ENOUGH_ANSWERS - 1; i += 1) fleet.batch('n1', [{ single: 1, fails: [alone] }]);
  assert.equal(openOrders(fleet, 'n1').length, 1);
  fleet.batch('n1', [{ single: 1, fails: [alone] }]);
  assert.deepEqual(openOrders(fleet, 'n1'), []);
});

test('in an incident of software one answer of a device is enough, and nothing follows it', () => {
  const fleet = fleetOf(NODES);
  for (const node of NODES) fleet.batch(node, [{ fails: [{ sm: 1 }] }]);
  assert.equal(fleet.state.fleet.incidents[0]?.state, 'OPEN');
  assert.deepEqual(
    NODES.map((node) => openOrders(fleet, node).length),
    [1, 1, 1, 1],
    'the gates ask for one answer of each',
  );
  for (const node of NODES) fleet.answer(node);
  for (const node of NODES) fleet.batch(node, [{ fails: [{ sm: 1 }, { sm: 2 }] }]);
  assert.deepEqual(
    NODES.map((node) => openOrders(fleet, node).length),
    [0, 0, 0, 0],
  );
  assert.equal(cancelled(fleet).length, NODES.length);
});

test('what was followed up before the incident stops with its next failure', () => {
  const fleet = fleetOf(NODES);
  fleet.failTwice('n1');
  fleet.cleanRuns('n1', 999, fleet.open(ID, 'burst').id);
  assert.equal(fleet.open(ID, 'follow-up').status, 'open');
  for (const node of NODES.slice(1)) fleet.batch(node, [{ fails: [{ sm: 1 }] }]);
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  assert.deepEqual(openOrders(fleet, 'n1'), []);
});

test('after the incident everything is asked again', () => {
  const fleet = fleetOf(NODES);
  for (const node of NODES) fleet.failTwice(node);
  fleet.advance(8 * DAY_US);
  assert.equal(fleet.state.fleet.incidents[0]?.state, 'CLOSED');
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  fleet.answer('n1');
  fleet.advance(SECOND_US);
  assert.equal(fleet.device(ID).state, 'QUARANTINED');
});
