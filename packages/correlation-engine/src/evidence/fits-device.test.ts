import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkFits } from './fits-device.js';
import { columns, SMS } from './testing/batches.js';

const SIZES = new Map([
  ['four', SMS.length],
  ['two', 2],
]);
const problem = (...specs: Parameters<typeof columns>[2]) =>
  checkFits(columns(0, 'four', specs), (id) => SIZES.get(id))?.field;

test('what a device can do is taken', () => {
  assert.equal(
    problem({}, { single: 3 }, { device: 'two', sms: [0, 1] }, { fails: [{ sm: 1, siblingsRun: 3 }] }),
    undefined,
  );
});

test('more SMs than the device of the row has are refused by the name of the field', () => {
  assert.equal(problem({}, { sms: [0, 1, 2, 3, 4], ran: [] }), 'sms_planned[1]');
  assert.equal(problem({}, { device: 'two' }), 'sms_planned[1]');
  const failing = { sms: [0, 1], fails: [{ sm: 1, siblingsRun: 2, siblingsPassed: 2 }] };
  assert.equal(problem(failing, { device: 'two', ...failing }), 'mismatches[1].siblings_run');
  assert.equal(problem({ fails: [{ sm: 1 }, { sm: 2, siblingsRun: 65_535 }] }), 'mismatches[1].siblings_run');
});

test('of a device that no hello has described nothing is known', () => {
  assert.equal(problem({ device: 'other', sms: [0, 1, 2, 3, 4], fails: [{ sm: 0, siblingsRun: 100 }] }), undefined);
});
