import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunKind } from '../evidence/model/terms.js';
import { repeat } from '../evidence/testing/batches.js';
import { CONFIG, configWith } from '../evidence/testing/config.js';
import { DAY_US, describe, eventNames, Fleet, openOf, SECOND_US, sentWork } from './testing/fleet.js';

const IDS = ['GPU-a', 'GPU-b', 'GPU-c'];

function nodeOfThree(config = CONFIG): Fleet {
  const fleet = new Fleet(config);
  fleet.hello('n1', { devices: IDS.map((id) => describe(id)) });
  return fleet;
}

/** One mismatch by the schedule, and one in answer. */
function failTwice(fleet: Fleet, device: string, sm = 1) {
  const first = fleet.batch('n1', [{ device, fails: [{ sm }] }]);
  const directive = fleet.device(device).directives.find((entry) => entry.status === 'open' && entry.sm === sm)?.id;
  assert.ok(directive);
  fleet.batch('n1', [{ device, kind: RunKind.BURST, single: sm, directive, index: 1, fails: [{ sm }] }]);
  return first;
}

const states = (fleet: Fleet) => IDS.map((id) => fleet.device(id).state);
const orders = (fleet: Fleet) =>
  fleet.committed.flatMap(({ effects }) =>
    effects.fleetDirectives.map(({ action, gpu, node }) => [action, gpu || node]),
  );

test('a device that fails has the other devices of its node tested too, once an hour', () => {
  const fleet = nodeOfThree();
  const effects = fleet.batch('n1', [{ device: 'GPU-a', fails: [{ sm: 1 }] }]);
  assert.deepEqual(
    effects.directives.map(({ deviceId }) => deviceId),
    IDS,
  );
  assert.ok(sentWork(effects).every((work) => work.kind === 'burst' && work.sm === 1 && work.executions === 1000));
  const mates = fleet.batch('n1', [{ device: 'GPU-a', fails: [{ sm: 2 }] }]).directives.map(({ deviceId }) => deviceId);
  assert.deepEqual(mates, ['GPU-a']);
  const { id } = openOf(fleet.device('GPU-b'), 'burst') ?? { id: '' };
  fleet.batch('n1', repeat(1000, { device: 'GPU-b', kind: RunKind.BURST, single: 1, directive: id }));
  assert.equal(fleet.device('GPU-b').state, 'HEALTHY');
  assert.equal(openOf(fleet.device('GPU-b'), 'burst'), undefined);
  assert.equal(openOf(fleet.device('GPU-b'), 'follow-up'), undefined, 'a device without a mismatch is not followed up');
  fleet.advance(3600 * SECOND_US);
  fleet.batch('n1', [{ device: 'GPU-a', fails: [{ sm: 3 }] }]);
  assert.ok(openOf(fleet.device('GPU-b'), 'burst'));
});

test('mismatches on two devices cordon the node once and quarantine none of them', () => {
  const fleet = nodeOfThree();
  failTwice(fleet, 'GPU-a');
  failTwice(fleet, 'GPU-b');
  fleet.advance(11 * SECOND_US);
  assert.deepEqual(states(fleet), ['SUSPECT', 'SUSPECT', 'HEALTHY']);
  assert.deepEqual(orders(fleet), [['CORDON', 'n1']]);
  assert.equal(fleet.state.fleet.automaticQuarantinesUs.length, 1, 'counted once');
  const [incident] = fleet.state.fleet.incidents;
  assert.deepEqual([incident?.pattern, incident?.devices], ['NODE_CORRELATED', ['GPU-a', 'GPU-b']]);
  failTwice(fleet, 'GPU-c');
  fleet.advance(11 * SECOND_US);
  assert.deepEqual(fleet.state.fleet.incidents[0]?.devices, IDS);
  assert.deepEqual(orders(fleet), [['CORDON', 'n1']]);
});

test('an operator who calls the devices faulty has the node uncordoned and the devices judged', () => {
  const fleet = nodeOfThree();
  failTwice(fleet, 'GPU-a');
  failTwice(fleet, 'GPU-b');
  fleet.advance(11 * SECOND_US);
  const incident = fleet.state.fleet.incidents[0]?.id ?? '';
  fleet.commit({ kind: 'rate-limit-reset', reason: 'seen to', actor: 'alice' });
  fleet.commit({ kind: 'incident-order', incident, decision: 'RELEASE', reason: 'two bad ones', actor: 'alice' });
  assert.deepEqual(states(fleet), ['QUARANTINED', 'QUARANTINED', 'HEALTHY']);
  assert.deepEqual(orders(fleet).slice(1), [
    ['UNCORDON', 'n1'],
    ['QUARANTINE', 'GPU-a'],
    ['QUARANTINE', 'GPU-b'],
  ]);
});

test('failures that come back to one SM of each device make two defects of what was called a fault of the node', () => {
  const fleet = nodeOfThree();
  for (const device of ['GPU-a', 'GPU-b']) failTwice(fleet, device);
  fleet.advance(11 * SECOND_US);
  assert.deepEqual(orders(fleet), [['CORDON', 'n1']]);
  for (const device of ['GPU-a', 'GPU-b'])
    for (let i = 0; i < 8; i += 1) fleet.batch('n1', [{ device, fails: [{ sm: 1 }], index: i + 2 }]);
  fleet.advance(11 * SECOND_US);
  fleet.advance(3600 * SECOND_US);
  const after = orders(fleet).slice(1);
  assert.deepEqual(after.filter(([action]) => action !== 'DEEP_TEST').sort(), [
    ['QUARANTINE', 'GPU-a'],
    ['QUARANTINE', 'GPU-b'],
    ['UNCORDON', 'n1'],
  ]);
  assert.deepEqual(fleet.state.fleet.incidents[0]?.state, 'CLOSED');
  assert.ok((fleet.device('GPU-a').units[0]?.counted ?? 0) > 2, 'nothing of it is excused');
});

test('a quiet node is uncordoned and its devices are not accused of what it did', () => {
  const fleet = nodeOfThree();
  failTwice(fleet, 'GPU-a');
  failTwice(fleet, 'GPU-b');
  fleet.advance(8 * DAY_US);
  assert.deepEqual(orders(fleet), [
    ['CORDON', 'n1'],
    ['UNCORDON', 'n1'],
  ]);
  assert.equal(fleet.state.fleet.incidents[0]?.state, 'CLOSED');
  assert.deepEqual([fleet.device('GPU-a').state, fleet.device('GPU-a').units[0]?.counted], ['SUSPECT', 0]);
});

test('observe mode names the node and asks nobody to do anything', () => {
  const fleet = nodeOfThree(configWith({}, { mode: 'observe' }));
  failTwice(fleet, 'GPU-a');
  failTwice(fleet, 'GPU-b');
  fleet.advance(11 * SECOND_US);
  assert.deepEqual(orders(fleet), []);
  assert.equal(fleet.state.fleet.automaticQuarantinesUs.length, 0);
  const opened = fleet.committed
    .flatMap(({ effects }) => effects.outbox)
    .find(({ detail }) => detail.event === 'node_incident_opened');
  assert.equal(opened?.detail.would_be, 'CORDON');
  assert.ok(eventNames(fleet.commit({ kind: 'timer' })).length === 0);
});
