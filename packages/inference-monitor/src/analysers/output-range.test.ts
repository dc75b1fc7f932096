import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '@sentinel/monitor-kit/testing/random';
import { MAX_OUTPUTS, OutputRange } from './output-range.js';
import { sampleOf, shortLimits } from './testing/limits.js';

const output = (max: number, name = 'o') => ({
  ...sampleOf(),
  outputs: [{ name, elements: 1, nonfinite: 0, min: -1, max, mean: 0 }],
});

test('a flipped bit of an exponent stands out; the usual, zero and infinity do not', () => {
  const range = new OutputRange(shortLimits());
  const random = new Random(1);
  for (let k = 0; k < 2_000; k += 1) assert.deepEqual(range.take(output(8 + random.normal())), []);
  assert.deepEqual(range.take(output(Number.POSITIVE_INFINITY)), []);
  const [found] = range.take(output(8 * 2 ** 16));
  assert.deepEqual([found?.detector, found?.severity, found?.type], ['range', 'WARNING', 'INVARIANT_VIOLATION']);
});

test('no more outputs are told apart than there is room for', () => {
  const range = new OutputRange(shortLimits());
  for (let k = 0; k < 3 * MAX_OUTPUTS; k += 1) assert.deepEqual(range.take(output(1, `o${k}`)), []);
});
