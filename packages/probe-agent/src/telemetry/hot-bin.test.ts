import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HotBin } from './hot-bin.js';

const HOUR_MS = 3_600_000;

test('hot are the temperatures of the hottest fifth of the day', () => {
  const bin = new HotBin();
  assert.equal(bin.isHot(90), false, 'nothing is known yet');
  for (let k = 0; k < 100; k += 1) bin.add(30 + k / 2, 0);
  assert.deepEqual(
    [30, 60, 68, 71, 79, 90].map((temperature) => bin.isHot(temperature)),
    [false, false, false, true, true, true],
  );
});

test('a device that always has one temperature is always in its hot bin', () => {
  const bin = new HotBin();
  for (let k = 0; k < 10; k += 1) bin.add(55, k);
  assert.equal(bin.isHot(55), true);
  assert.equal(bin.isHot(54), false);
});

test('what is older than a day no longer counts, and memory is bounded by its hours', () => {
  const bin = new HotBin();
  for (let hour = 0; hour < 100; hour += 1) bin.add(90, hour * HOUR_MS);
  for (let hour = 100; hour < 123; hour += 1) bin.add(40, hour * HOUR_MS);
  assert.equal(bin.isHot(40), true, 'one hour of the last day was hotter');
  for (let k = 0; k < 50; k += 1) bin.add(91, 123 * HOUR_MS);
  assert.equal(bin.isHot(40), false);
});
