import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeOf } from './draft.js';
import { adoptDevice, MAX_DEVICES_PER_NODE } from './register.js';
import { deviceWith, draftOf } from './testing/device.js';

test('a device known from its reports is adopted with a note, and is not announced', () => {
  const draft = draftOf([deviceWith('d', { node: 'n' })]);
  const device = adoptDevice(draft, 'n', 'new');
  assert.deepEqual([device?.node, device?.announced, device?.sms], ['n', false, []]);
  assert.match(device?.note ?? '', /only from its reports/);
  assert.deepEqual(nodeOf(draft, 'n')?.deviceIds, ['d', 'new']);
});

test('nobody adopts for an unknown node, or without bound', () => {
  const devices = Array.from({ length: MAX_DEVICES_PER_NODE }, (_, i) => deviceWith(`d${i}`, { node: 'n' }));
  const draft = draftOf(devices);
  assert.equal(adoptDevice(draft, 'unknown', 'new'), undefined);
  assert.equal(adoptDevice(draft, 'n', 'new'), undefined);
});
