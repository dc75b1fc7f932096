import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceState } from '../model/device.js';
import type { FleetFacts } from '../model/fleet.js';
import { NODE_WINDOW_US } from '../posterior/node-fault.js';
import { deviceWith, draftOf, incidentWith, NOW_US, unitWith } from '../testing/device.js';
import { nodeGate } from './node.js';

const WEEK_US = 7 * 86_400_000_000;
const accused = deviceWith('accused', { node: 'n1', units: [unitWith({ counted: 2 })], lastObservationUs: NOW_US });
const mate = (fields: Partial<DeviceState>) => deviceWith('mate', { node: 'n1', ...fields });
const failing = { units: [unitWith({ counted: 1 })], lastObservationUs: NOW_US - 1000 };
const gate = (...others: DeviceState[]) => nodeGate(draftOf([accused, ...others]), accused, NOW_US);

test('with one device on the node it cannot be evaluated, and says so', () => {
  assert.equal(gate().verdict, 'NOT_EVALUABLE');
  assert.equal(gate(deviceWith('elsewhere', failing)).verdict, 'NOT_EVALUABLE');
  assert.equal(gate(mate({ announced: false })).verdict, 'NOT_EVALUABLE', 'a device that was taken out is no witness');
});

test('node mates without mismatches: it is the device', () => {
  assert.equal(gate(mate({})).verdict, 'PASS');
  assert.equal(gate(mate({ ...failing, units: [unitWith({ unlocated: 1 })] })).verdict, 'PASS');
});

test('a mismatch on a node mate within 7 days: the node is suspected', () => {
  const answer = gate(mate(failing));
  assert.equal(answer.verdict, 'HOLD');
  assert.deepEqual(answer.attributed, ['accused', 'mate']);
  assert.equal(answer.dueUs, NOW_US - 1000 + NODE_WINDOW_US);
  assert.equal(gate(mate({ ...failing, lastObservationUs: NOW_US - NODE_WINDOW_US })).verdict, 'PASS');
  assert.equal(gate(mate({ ...failing, announced: false })).verdict, 'HOLD', 'taken out, its failures still speak');
});

/** Mates that ran for a week, at 132 SMs once a minute in seven families or as much in one. */
function afterWeeks(...counted: number[]) {
  const mates = Array.from({ length: 7 }, (_, i) =>
    deviceWith(`mate-${i}`, {
      node: 'n1',
      ...(counted[i] === undefined ? {} : { ...failing, units: [unitWith({ counted: counted[i] })] }),
    }),
  );
  const draft = draftOf([accused, ...mates]);
  for (const device of [accused, ...mates]) {
    const ran = { runs: 1, executions: 7 * 132 * 60 * 168, failures: 0, notRun: 0 };
    draft.base.exposure.set(device.id, new Map([[1, { ...ran, firstRunUs: NOW_US - WEEK_US, lastRunUs: NOW_US }]]));
  }
  return nodeGate(draft, accused, NOW_US);
}

test('one passing fault of a mate does not turn a defect into a fault of the node; mismatches of several do', () => {
  const one = afterWeeks(1);
  assert.equal(one.verdict, 'PASS', one.inputs.odds_of_the_node);
  assert.deepEqual(one.attributed, []);
  assert.equal(afterWeeks(2).verdict, 'HOLD');
  assert.equal(afterWeeks(1, 1).verdict, 'HOLD');
});

test('a fault of the node that an operator confirmed holds until it ends; one that is only suspected is given up again; devices that an operator called faulty speak against no node', () => {
  const incident = incidentWith({ pattern: 'NODE_CORRELATED', cohort: '', node: 'n1', devices: ['accused', 'mate'] });
  const of = (facts: Partial<FleetFacts>, ...mates: DeviceState[]) => {
    const draft = draftOf([accused, ...mates], facts);
    return { draft, answer: () => nodeGate(draft, accused, NOW_US) };
  };
  const confirmed = { ...incident, state: 'CONFIRMED' as const };
  assert.equal(of({ incidents: [confirmed] }, mate({})).answer().verdict, 'HOLD');
  assert.equal(of({ incidents: [{ ...confirmed, endedUs: NOW_US }] }, mate({})).answer().verdict, 'PASS');
  const own = { ...failing, units: [unitWith({ counted: 40 })] };
  const refuted = of({ incidents: [incident] }, mate(own)).answer();
  assert.deepEqual([refuted.verdict, refuted.refuted], ['PASS', true]);
  assert.equal(of({}, mate(own)).answer().refuted, false, 'nothing was suspected');
  assert.equal(of({ incidents: [incident] }, mate(failing)).answer().refuted, false);
  const third = deviceWith('third', { node: 'n1', ...failing });
  const fourth = deviceWith('fourth', { node: 'n1', ...failing });
  const released = (...mates: DeviceState[]) => {
    const { draft, answer } = of({}, ...mates);
    const node = draft.base.nodes.get('n1');
    assert.ok(node);
    node.released = { untilUs: NOW_US, devices: ['accused', 'mate'] };
    return answer();
  };
  assert.equal(released(mate(failing)).verdict, 'PASS');
  assert.equal(released(mate(failing), third).verdict, 'PASS', 'one device is no node');
  assert.deepEqual(released(mate(failing), third, fourth).attributed, ['third', 'fourth']);
});
