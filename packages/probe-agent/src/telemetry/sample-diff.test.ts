import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TelemetrySample } from '@sentinel/contracts/sentinel/v1/probe.js';
import type { Reading } from './reading.js';
import { SampleDiff } from './sample-diff.js';

const MINUTE_MS = 60_000;

function reading(values: Record<string, number>, texts: Record<string, string> = {}): Reading {
  return { values, texts };
}

test('first whole, then nothing until gauges are due; what broke is sent at once', () => {
  const diff = new SampleDiff();
  const base = { temperature_c: 50, power_w: 300, ecc_uncorrected_volatile_total: 0 };
  assert.deepEqual(diff.next(reading(base), 0), { ...reading(base), partial: false });
  assert.equal(diff.next(reading({ ...base, temperature_c: 60 }), MINUTE_MS), null);
  const broken = { ...base, temperature_c: 61, ecc_uncorrected_volatile_total: 1 };
  assert.deepEqual(diff.next(reading(broken), 2 * MINUTE_MS), {
    ...reading({ ecc_uncorrected_volatile_total: 1 }),
    partial: true,
  });
  assert.deepEqual(diff.next(reading(broken), 10 * MINUTE_MS), { ...reading({ temperature_c: 61 }), partial: true });
  assert.equal(diff.next(reading({ ...broken, power_w: 1 }), 11 * MINUTE_MS), null);
});

test('a field that comes or goes, a day, and a new connection make a whole sample', () => {
  const diff = new SampleDiff();
  const partial = (values: Record<string, number>, minute: number) =>
    diff.next(reading(values, { fabric_state: 'completed' }), minute * MINUTE_MS)?.partial;
  assert.equal(partial({ a: 1, b: 1 }, 0), false);
  assert.equal(partial({ a: 1 }, 1), false);
  assert.equal(partial({ a: 2 }, 11), true);
  assert.equal(partial({ a: 2 }, 1441), false);
  diff.restart();
  assert.equal(partial({ a: 2 }, 1442), false);
});

test('a GPU with every field sends less than a byte a second', () => {
  const diff = new SampleDiff();
  const gauges = ['temperature_c', 'temperature_memory_c', 'power_w', 'power_average_w', 'power_instant_w', 'energy_j'];
  gauges.push('clock_sm_mhz', 'clock_graphics_mhz', 'clock_event_reasons', 'utilization_gpu_pct', 'memory_used_bytes');
  const still = Array.from({ length: 130 }, (_, k) => [`ecc_corrected_aggregate_field_${k}`, k]);
  const dayMs = 86_400_000;
  let bytes = 0;
  for (let ms = 0; ms < dayMs; ms += 10_000) {
    const values = { ...Object.fromEntries(still), ...Object.fromEntries(gauges.map((name) => [name, ms])) };
    const sample = diff.next(reading(values, { driver_version: '550.54.15' }), ms);
    if (sample === null) continue;
    const deviceId = 'GPU-00000000-0000-0000-0000-000000000000';
    bytes += TelemetrySample.encode({ ...sample, deviceId, timeUs: 1_700_000_000_000_000n }).finish().length;
  }
  assert.ok(bytes < 86_400, `${bytes} bytes a day`);
});
