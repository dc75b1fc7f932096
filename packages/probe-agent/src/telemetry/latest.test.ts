import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LatestReadings } from './latest.js';

test('a context has what the device offers, rounded, until it is stale', () => {
  let now = 0;
  const readings = new LatestReadings(10_000, () => now);
  assert.equal(readings.latest('g'), undefined);
  const values = {
    temperature_c: 60.6,
    clock_sm_mhz: 1980,
    power_w: 1,
    power_instant_w: 612.4,
    clock_event_reasons: 4,
  };
  readings.put('g', { values, texts: {} });
  const context = { temperatureC: 61, clockMhz: 1980, powerW: 612, clockEventReasons: 4n, hot: true };
  assert.deepEqual(readings.latest('g'), context);
  now = 30_000;
  assert.deepEqual(readings.latest('g'), context);
  now = 30_001;
  assert.equal(readings.latest('g'), undefined);
});

test('a device that offers nothing has a context without fields, and is not hot', () => {
  const readings = new LatestReadings(10_000, () => 0);
  readings.put('c', { values: {}, texts: {} });
  assert.deepEqual(readings.latest('c'), { hot: false });
});
