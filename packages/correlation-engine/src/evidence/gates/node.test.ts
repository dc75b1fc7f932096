import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceState } from '../model.js';
import { deviceWith, draftOf, NOW_US, unitWith } from '../testing/device.js';
import { NODE_WINDOW_US, nodeGate } from './node.js';

const accused = deviceWith('accused', { node: 'n1' });
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
  assert.equal(answer.dueUs, NOW_US - 1000 + NODE_WINDOW_US);
  assert.equal(gate(mate({ ...failing, lastObservationUs: NOW_US - NODE_WINDOW_US })).verdict, 'PASS');
  assert.equal(gate(mate({ ...failing, announced: false })).verdict, 'HOLD', 'taken out, its failures still speak');
});
