import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IncidentOrderRecord } from '../evidence/record.js';
import { configWith, NO_QUARANTINES } from '../evidence/testing/config.js';
import { deviceIdOf, eventNames, Fleet, SECOND_US } from './testing/fleet.js';

const NODES = ['n1', 'n2', 'n3'];

/** Three nodes fail at once, each as a device of its own would, and more are there that do not. */
function inIncident(): { fleet: Fleet; id: string } {
  const fleet = new Fleet();
  for (const node of [...NODES, 'n4']) fleet.hello(node);
  for (const node of NODES) fleet.failTwice(node);
  fleet.advance(700 * SECOND_US);
  const [incident] = fleet.state.fleet.incidents;
  assert.ok(incident);
  return { fleet, id: incident.id };
}

const order = (fleet: Fleet, incident: string, decision: IncidentOrderRecord['decision']) =>
  fleet.commit({ kind: 'incident-order', incident, decision, reason: 'because', actor: 'alice' });
const states = (fleet: Fleet) => NODES.map((node) => fleet.device(deviceIdOf(node)).state);

test('a confirmed incident excuses what it explains and goes on holding', () => {
  const { fleet, id } = inIncident();
  const effects = order(fleet, id, 'CONFIRM');
  assert.deepEqual(eventNames(effects), ['breadth_incident_confirmed']);
  assert.equal(effects.outbox[0]?.detail.devices_excused, 3);
  assert.equal(effects.outbox[0]?.detail.actor, 'alice');
  assert.deepEqual(
    NODES.map((node) => fleet.device(deviceIdOf(node)).units[0]?.counted),
    [0, 0, 0],
  );
  fleet.failTwice('n4');
  fleet.failTwice('n1');
  fleet.advance(700 * SECOND_US);
  assert.equal(fleet.device(deviceIdOf('n4')).state, 'SUSPECT', 'who fails later is held too');
  assert.deepEqual(states(fleet), ['SUSPECT', 'SUSPECT', 'SUSPECT']);
  assert.equal(order(fleet, id, 'CONFIRM').outbox.length, 0, 'again changes nothing');
});

test('a confirmation can be taken back: released after it, the incident accuses again of what was set aside', () => {
  const { fleet, id } = inIncident();
  const units = () => NODES.map((node) => fleet.device(deviceIdOf(node)).units);
  const before = units();
  order(fleet, id, 'CONFIRM');
  const effects = order(fleet, id, 'RELEASE');
  assert.equal(effects.outbox[0]?.detail.devices_accused_again, 3);
  assert.deepEqual(states(fleet), ['QUARANTINED', 'QUARANTINED', 'SUSPECT']);
  assert.deepEqual(units(), before);
});

test('an incident that closed by itself set aside for good', () => {
  const { fleet, id } = inIncident();
  order(fleet, id, 'CONFIRM');
  fleet.advance(8 * 86_400 * SECOND_US);
  assert.equal(fleet.state.fleet.incidents[0]?.state, 'CLOSED');
  assert.deepEqual(
    NODES.map((node) => fleet.device(deviceIdOf(node)).units[0]?.setAside),
    [undefined, undefined, undefined],
  );
});

test('a released incident holds nobody, up to the limit of automatic quarantines, until another one opens', () => {
  const { fleet, id } = inIncident();
  assert.deepEqual(states(fleet), ['SUSPECT', 'SUSPECT', 'SUSPECT']);
  const effects = order(fleet, id, 'RELEASE');
  assert.equal(eventNames(effects)[0], 'breadth_incident_released');
  assert.deepEqual(states(fleet), ['QUARANTINED', 'QUARANTINED', 'SUSPECT']);
  assert.equal(fleet.device(deviceIdOf('n3')).gates[6]?.verdict, 'HOLD');
  fleet.batch('n3', [{ fails: [{ sm: 1 }] }]);
  assert.equal(fleet.state.fleet.incidents.length, 1, 'the same nodes make no new one');
  fleet.advance(SECOND_US);
  for (const node of ['m1', 'm2', 'm3']) fleet.hello(node);
  for (const node of ['m1', 'm2', 'm3']) fleet.failTwice(node);
  assert.deepEqual(
    fleet.state.fleet.incidents.map(({ state, nodeCount }) => [state, nodeCount]),
    [
      ['OPEN', 3],
      ['RELEASED', 3],
    ],
  );
  assert.equal(order(fleet, id, 'CONFIRM').refusal?.code, 'ILLEGAL_TRANSITION');
  assert.equal(order(fleet, 'incident-none', 'CONFIRM').refusal?.code, 'NOT_FOUND');
});

test('the limit of automatic quarantines is reset by an order, without another configuration', () => {
  const { fleet, id } = inIncident();
  order(fleet, id, 'RELEASE');
  assert.deepEqual(states(fleet), ['QUARANTINED', 'QUARANTINED', 'SUSPECT']);
  const effects = fleet.commit({ kind: 'rate-limit-reset', reason: 'seen to', actor: 'alice' });
  assert.deepEqual(eventNames(effects).slice(0, 2), ['rate_limit_reset', 'state_changed']);
  assert.equal(effects.outbox[0]?.detail.quarantines_last_day, 2);
  assert.deepEqual(states(fleet), ['QUARANTINED', 'QUARANTINED', 'QUARANTINED']);
  assert.equal(fleet.state.fleet.automaticQuarantinesUs.length, 1);
});

test('a limit of 0 holds all, and no reset gives it room', () => {
  const fleet = new Fleet(configWith({ rate_limit: NO_QUARANTINES }));
  fleet.hello('n1');
  fleet.failTwice('n1');
  fleet.advance(11 * SECOND_US);
  fleet.commit({ kind: 'rate-limit-reset', reason: 'seen to', actor: 'alice' });
  assert.equal(fleet.device(deviceIdOf('n1')).state, 'SUSPECT');
});
