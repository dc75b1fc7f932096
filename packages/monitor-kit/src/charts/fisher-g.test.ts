import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../testing/random.js';
import { concentrationTail, strongestFrequency } from './fisher-g.js';

test('a period is found at its frequency', () => {
  const random = new Random(1);
  const series = Array.from(
    { length: 1_024 },
    (_, k) => random.normal() + 2 * Math.sin((2 * Math.PI * k * 37) / 1_024),
  );
  const peak = strongestFrequency(series, 0.01, 0.5);
  assert.equal(peak?.frequency, 37 / 1_024);
  assert.ok((peak?.concentration ?? 0) > 0.4);
  assert.equal(peak?.frequencies, 511 - 11 + 1);
  assert.ok(concentrationTail(peak?.concentration ?? 0, 501) < 1e-30);
});

test('the power of all frequencies is that of the series (Parseval)', () => {
  const random = new Random(2);
  const series = Array.from({ length: 256 }, () => random.normal());
  const peak = strongestFrequency(series, 0, 0.5);
  const mean = series.reduce((sum, value) => sum + value, 0) / 256;
  let [re, im, total] = [0, 0, 0];
  for (let k = 1; k < 128; k += 1) {
    const at = (trig: (x: number) => number) =>
      series.reduce((sum, value, t) => sum + (value - mean) * trig((2 * Math.PI * k * t) / 256), 0);
    const power = at(Math.cos) ** 2 + at(Math.sin) ** 2;
    total += power;
    if (k === (peak?.frequency ?? 0) * 256) [re, im] = [at(Math.cos), at(Math.sin)];
  }
  assert.ok(Math.abs((peak?.concentration ?? 0) - (re ** 2 + im ** 2) / total) < 1e-12);
});

test('independent values pass a concentration as often as its tail says', () => {
  const random = new Random(3);
  const g = 0.12;
  const rounds = 2_000;
  let passed = 0;
  for (let round = 0; round < rounds; round += 1) {
    const series = Array.from({ length: 128 }, () => random.normal());
    if ((strongestFrequency(series, 0, 0.5)?.concentration ?? 0) > g) passed += 1;
  }
  const expected = concentrationTail(g, 63);
  assert.ok(Math.abs(passed / rounds - expected) < 4 * Math.sqrt(expected / rounds), `${passed} ${expected}`);
});

test('a constant has no frequency', () => {
  assert.equal(
    strongestFrequency(
      Array.from({ length: 64 }, () => 3),
      0,
      0.5,
    ),
    null,
  );
});
