import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTelemetry } from './check-telemetry.js';
import type { Sample } from './record.js';

const GOOD: Sample = {
  deviceId: 'GPU-1',
  timeUs: 1n,
  values: { temperature_c: 61, energy_j: 0, margin_c: -3.5 },
  texts: { driver_version: '550.54.15' },
  partial: false,
};

const many = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, k) => [`field_${k}`, k]));

test('what an agent sends is fine, and so is an empty sample', () => {
  assert.equal(checkTelemetry([GOOD, { ...GOOD, values: {}, texts: {} }, { ...GOOD, values: many(511) }]), undefined);
});

const BAD: readonly [string, Partial<Sample>, string][] = [
  ['no device', { deviceId: '' }, 'samples[1].device_id'],
  ['a name with blanks', { values: { 'a b': 1 } }, 'samples[1].values'],
  [
    'a name that a property of every object has',
    { values: JSON.parse('{"__proto__": 1}') as Sample['values'] },
    'samples[1].values',
  ],
  ['a long name', { texts: { ['x'.repeat(65)]: '' } }, 'samples[1].values'],
  ['too many fields', { values: many(513) }, 'samples[1].values'],
  ['no number', { values: { a: Number.NaN } }, 'samples[1].values.a'],
  ['an infinite number', { values: { a: Number.POSITIVE_INFINITY } }, 'samples[1].values.a'],
  ['a long text', { texts: { a: 'x'.repeat(257) } }, 'samples[1].texts.a'],
  ['a text that moves the cursor', { texts: { a: 'x\u001b[2J' } }, 'samples[1].texts.a'],
];
for (const [what, change, field] of BAD) {
  test(`refused with its field: ${what}`, () => {
    assert.equal(checkTelemetry([GOOD, { ...GOOD, ...change }])?.field, field);
  });
}

test('refused: more samples than a node has devices', () => {
  assert.equal(checkTelemetry(Array.from({ length: 1_025 }, () => GOOD))?.field, 'samples');
});
