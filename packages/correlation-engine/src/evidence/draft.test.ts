import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  begin,
  changes,
  deviceOf,
  editDevice,
  editFleet,
  editNode,
  fleetOf,
  install,
  nodeOf,
  removeDevice,
  touchedIds,
} from './draft.js';
import { deviceWith, draftOf, unitWith } from './testing/device.js';

const fleet = () => draftOf([deviceWith('d', { node: 'n', units: [unitWith()] })]);

test('edits are seen through the draft and by nobody else', () => {
  const draft = fleet();
  const device = editDevice(draft, 'd');
  device.units = [unitWith({ counted: 9 }), unitWith({ sm: 2 })];
  device.sms.push(99);
  editNode(draft, 'n').deviceIds.push('x');
  editFleet(draft).reviewUs = 5;
  assert.equal(deviceOf(draft, 'd'), device);
  assert.equal(fleetOf(draft).reviewUs, 5);
  const other = begin(draft.base);
  assert.deepEqual(deviceOf(other, 'd')?.units, [unitWith()]);
  assert.equal(deviceOf(other, 'd')?.sms.includes(99), false);
  assert.deepEqual(nodeOf(other, 'n')?.deviceIds, ['d']);
  assert.equal(fleetOf(other).reviewUs, null);
});

test('changes name what was edited, and install makes it the state', () => {
  const draft = fleet();
  editDevice(draft, 'd').state = 'SUSPECT';
  const { devices, nodes, fleet: facts, config } = changes(draft);
  assert.deepEqual([devices.map((device) => device.id), nodes, facts, config], [['d'], [], null, null]);
  install(draft);
  assert.equal(draft.base.devices.get('d')?.state, 'SUSPECT');
  assert.ok(draft.base.attentive.has('d'));
});

test('what a reader holds does not change under it', () => {
  const draft = fleet();
  const held = draft.base.devices.get('d');
  editDevice(draft, 'd').state = 'SUSPECT';
  install(draft);
  assert.equal(held?.state, 'HEALTHY');
});

test('what was touched is named, gone devices too', () => {
  const draft = draftOf(['a', 'b', 'c'].map((id) => deviceWith(id)));
  assert.deepEqual(touchedIds(draft), []);
  editDevice(draft, 'a');
  editDevice(draft, 'b');
  removeDevice(draft, 'b');
  draft.moved.set('a', 'a-before');
  assert.deepEqual(touchedIds(draft).sort(), ['a', 'b']);
});

test('editing something unknown is a mistake of the caller', () => {
  assert.throws(() => editDevice(fleet(), 'x'), RangeError);
  assert.throws(() => editNode(fleet(), 'x'), RangeError);
});
