import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '@sentinel/monitor-kit/testing/random';
import { MAX_OUTPUTS, OutputRange } from './output-range.js';
import { sampleOf, shortLimits } from './testing/limits.js';

const output = (max: number, name = 'o', min = -1) => ({
  ...sampleOf(),
  outputs: [{ name, elements: 1, nonfinite: 0, min, max, mean: 0 }],
});

test('a flipped bit of an exponent stands out; the usual, zero and infinity do not', () => {
  const range = new OutputRange(shortLimits());
  const random = new Random(1);
  for (let k = 0; k < 2_000; k += 1) assert.deepEqual(range.take(output(8 + random.normal())), []);
  assert.deepEqual(range.take(output(Number.POSITIVE_INFINITY)), []);
  const [found] = range.take(output(8 * 2 ** 16));
  assert.deepEqual([found?.detector, found?.severity, found?.type], ['range', 'WARNING', 'INVARIANT_VIOLATION']);
});

test('a constant that stands for nothing is told a few times and no more', () => {
  const range = new OutputRange(shortLimits());
  const random = new Random(7);
  const told: number[] = [];
  for (let k = 0; k < 60_000; k += 1) {
    const value = random.next() < 0.02 ? 1e9 : 0.9 + 0.1 * random.next();
    if (range.take(output(value, 'o', 0)).length > 0) told.push(k);
  }
  assert.ok(told.length >= 1 && told.length <= 3, told.join());
});

test('what a fault makes of numbers is told however often it comes', () => {
  const range = new OutputRange(shortLimits());
  const random = new Random(3);
  for (let k = 0; k < 2_000; k += 1) range.take(output(8 + random.normal()));
  for (let fault = 0; fault < 20; fault += 1) {
    assert.equal(range.take(output((8 + random.normal()) * 2 ** 64)).length, 1);
    for (let k = 0; k < 20; k += 1) assert.deepEqual(range.take(output(8 + random.normal())), []);
  }
});

test('no more outputs are told apart than there is room for', () => {
  const range = new OutputRange(shortLimits());
  for (let k = 0; k < 3 * MAX_OUTPUTS; k += 1) assert.deepEqual(range.take(output(1, `o${k}`)), []);
});
