import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completeFleet } from '../complete-fleet.js';
import { deviceWith, draftOf } from '../testing/device.js';
import { confirm, modelKey, shrinkageOf } from './shrinkage.js';

const KEY = modelKey(deviceWith('d'));
const SM = { family: 1, sm: 2 };

test('without confirmed defects nothing is likelier than anything else', () => {
  const device = deviceWith('d');
  assert.equal(shrinkageOf(draftOf([device]), device)(0), 1);
});

test('each confirmed device of the model moves it, against what its years of service let expect', () => {
  const device = deviceWith('d');
  const factor = (confirmed: number, years: number): number => {
    const rates = { ...completeFleet(null).rates, years: { [KEY]: years } };
    return shrinkageOf(draftOf([device], { confirmed: { [KEY]: confirmed }, rates }), device)(0);
  };
  assert.equal(factor(1, 0), 1.5);
  assert.equal(factor(2, 2000), 1, 'as many as expected');
  assert.equal(factor(1000, 0), 50);
  assert.equal(factor(0, 1e6), 0.2);
});

test('a confirmed SM makes its device, its neighbours and above all its sibling likelier', () => {
  const device = deviceWith('d', { confirmed: [SM] });
  const draft = draftOf([device]);
  const [far, neighbour, itself, sibling] = [0, 1, 2, 3].map((sm) => shrinkageOf(draft, device)(sm));
  assert.deepEqual([far, neighbour, itself, sibling], [1.5, 2.25, 1.5, 112.5]);
});

test('a unit is confirmed once, its device once, and the list is bounded', () => {
  const device = deviceWith('d');
  const draft = draftOf([device]);
  confirm(draft, device, []);
  confirm(draft, device, [SM]);
  confirm(draft, device, [SM, { family: 2, sm: 2 }]);
  assert.equal(draft.fleet?.confirmed[KEY], 1);
  assert.equal(device.confirmed.length, 2);
  confirm(
    draft,
    device,
    Array.from({ length: 1000 }, (_, sm) => ({ family: 1, sm })),
  );
  assert.equal(device.confirmed.length, 64);
});
