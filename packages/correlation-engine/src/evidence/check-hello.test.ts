import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkHello, MAX_SMS } from './check-hello.js';
import type { HelloDevice, HelloFamily } from './record.js';
import { MAX_DEVICES_PER_NODE } from './register.js';

const family: HelloFamily = { family: 1, probeVersion: 1, selfTestSmsRun: 2, selfTestSmsPassed: 2, instructions: [] };
const device: HelloDevice = {
  id: 'CPU-1',
  model: '',
  vendor: '',
  sms: [5, 0],
  driverVersion: '',
  serial: '',
  note: '',
  families: [family],
};

test('sparse and unsorted SM numbers are accepted, and a node without a device', () => {
  assert.equal(checkHello({ devices: [device] }), undefined);
  assert.equal(checkHello({ devices: [] }), undefined);
});

const wrong: [string, Partial<HelloDevice>, string][] = [
  ['no id', { id: '' }, 'devices[0].id'],
  ['an id with a control character', { id: 'GPU-\u001b[31m' }, 'devices[0].id'],
  ['no SM', { sms: [] }, 'devices[0].sms'],
  ['an SM twice', { sms: [1, 1] }, 'devices[0].sms'],
  ['an SM out of range', { sms: [0, 65_536] }, 'devices[0].sms[1]'],
  ['too many SMs', { sms: Array.from({ length: MAX_SMS + 1 }, (_, i) => i) }, 'devices[0].sms'],
  ['a family twice', { families: [family, family] }, 'devices[0].families'],
  ['more passed than ran', { families: [{ ...family, selfTestSmsPassed: 3 }] }, 'devices[0].families[0]'],
  ['more ran than there are', { families: [{ ...family, selfTestSmsRun: 3 }] }, 'devices[0].families[0]'],
];
for (const [name, fields, field] of wrong) {
  test(`${name} is refused, and the field named`, () => {
    assert.equal(checkHello({ devices: [{ ...device, ...fields }] })?.field, field);
  });
}

test('a device twice and too many devices are refused', () => {
  assert.equal(checkHello({ devices: [device, device] })?.field, 'devices[1].id');
  const many = Array.from({ length: MAX_DEVICES_PER_NODE + 1 }, (_, i) => ({ ...device, id: `d${i}` }));
  assert.equal(checkHello({ devices: many })?.field, 'devices');
});
