import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_DEVICES_PER_NODE } from '../evidence/register.js';
import { describe, deviceIdOf, eventNames, Fleet, SECOND_US, sentWork } from './testing/fleet.js';

const ID = deviceIdOf('n1');

test('an agent is registered with its devices; a reconnect is no news', () => {
  const fleet = new Fleet();
  assert.deepEqual(eventNames(fleet.hello('n1')), ['agent_registered']);
  assert.deepEqual(fleet.node('n1').deviceIds, [ID]);
  assert.equal(fleet.device(ID).state, 'HEALTHY');
  fleet.commit({ kind: 'node-left', node: 'n1' });
  assert.equal(fleet.node('n1').connected, false);
  assert.deepEqual(eventNames(fleet.hello('n1')), []);
  assert.equal(fleet.node('n1').connected, true);
  assert.deepEqual(eventNames(fleet.hello('n1', { buildId: 'build-2' })), ['agent_registered']);
});

test('the clock offset is that of the newest hello', () => {
  const fleet = new Fleet();
  fleet.hello('n1', { agentTimeUs: fleet.nowUs - 5 * SECOND_US });
  assert.equal(fleet.node('n1').offsetUs, 5 * SECOND_US);
  fleet.hello('n1');
  assert.equal(fleet.node('n1').offsetUs, 0);
});

test('a device of a connected node stays there; one whose node left moves with its evidence and its work', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  const claim = fleet.hello('n2', { devices: [describe(ID)] });
  assert.ok(eventNames(claim).includes('device_claimed_twice'));
  assert.equal(fleet.device(ID).node, 'n1');
  assert.deepEqual(fleet.node('n2').deviceIds, []);

  fleet.commit({ kind: 'node-left', node: 'n1' });
  const moved = fleet.hello('n2', { devices: [describe(ID)] });
  assert.equal(fleet.device(ID).node, 'n2');
  assert.equal(fleet.device(ID).state, 'SUSPECT');
  assert.deepEqual(fleet.node('n1').deviceIds, []);
  assert.deepEqual(
    moved.directives.map((directive) => directive.node),
    ['n2'],
  );
});

test('boards that changed places are found by whichever node says hello first', () => {
  const [one, two] = ['GPU-one', 'GPU-two'];
  const fleet = new Fleet();
  fleet.hello('n1', { devices: [describe(one)] });
  fleet.hello('n2', { devices: [describe(two)] });
  assert.ok(eventNames(fleet.hello('n1', { devices: [describe(two)] })).includes('device_claimed_twice'));
  assert.equal(fleet.device(two).node, 'n2', 'it has it, as far as is known');
  fleet.hello('n2', { devices: [describe(one)] });
  assert.deepEqual([fleet.device(one).node, fleet.device(two).node], ['n2', 'n1']);
  assert.deepEqual([fleet.device(one).announced, fleet.device(two).announced], [true, true]);
  assert.deepEqual([fleet.node('n1').deviceIds, fleet.node('n2').deviceIds], [[two], [one]]);
  fleet.batch('n1', [{ device: two, fails: [{ sm: 1 }] }]);
  assert.equal(fleet.device(two).state, 'SUSPECT');
  assert.deepEqual(fleet.state.fleet.claims, {});
});

test('what another node claims moves there when its node leaves; a claim that was given up does not', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  fleet.hello('n2', { devices: [describe(ID)] });
  fleet.commit({ kind: 'node-left', node: 'n1' });
  assert.equal(fleet.device(ID).node, 'n2');
  fleet.hello('n3', { devices: [describe(ID)] });
  fleet.hello('n3', { devices: [] });
  fleet.commit({ kind: 'node-left', node: 'n2' });
  assert.equal(fleet.device(ID).node, 'n2');
});

test('every unfinished directive is repeated with what remains', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  const { id } = fleet.open(ID, 'burst');
  fleet.answer('n1');
  const again = fleet.hello('n1');
  assert.deepEqual(
    again.directives.map((directive) => directive.id),
    [id],
  );
  assert.deepEqual(sentWork(again), [{ kind: 'burst', family: 1, sm: 1, executions: 999, windowMs: 59_940 }]);
});

test('a device that the agent no longer names is kept, and said not to be announced', () => {
  const fleet = new Fleet();
  fleet.hello('n1', { devices: [describe(ID), describe('CPU-old')] });
  fleet.hello('n1');
  assert.equal(fleet.device('CPU-old').announced, false);
  assert.equal(fleet.device(ID).announced, true);
  assert.ok(fleet.batch('n1', [{ device: 'CPU-old' }]).counters.length === 1, 'its spooled reports still count');
});

test('a node has a bounded number of devices', () => {
  const fleet = new Fleet();
  const devices = Array.from({ length: MAX_DEVICES_PER_NODE }, (_, i) => describe(`d${i}`));
  fleet.hello('n1', { devices });
  const more = fleet.hello('n1', { devices: [describe('one-more')] });
  assert.ok(eventNames(more).includes('too_many_devices'));
  assert.equal(fleet.state.devices.has('one-more'), false);
});

test('another driver or probe version starts coverage and the first clean run again', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  fleet.batch('n1', [{ ran: [0, 2] }]);
  fleet.hello('n1');
  assert.deepEqual(fleet.device(ID).families[0]?.uncoveredSms, [1, 3]);
  fleet.batch('n1', [{}]);
  assert.deepEqual(fleet.device(ID).families[0]?.uncoveredSms, []);
  fleet.hello('n1', { buildId: 'build-2' });
  assert.deepEqual(fleet.device(ID).families[0]?.uncoveredSms, []);
  fleet.hello('n1', { devices: [describe(ID, { driverVersion: '2' })] });
  assert.deepEqual(fleet.device(ID).families[0]?.uncoveredSms, [0, 1, 2, 3]);
  assert.equal(fleet.device(ID).families[0]?.firstCleanUs, null);
});
