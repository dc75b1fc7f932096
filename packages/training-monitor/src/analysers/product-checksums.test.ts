import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '@sentinel/monitor-kit/testing/random';
import { shippedLimits } from '../bench/support/limits.js';
import { ProductChecksums } from './product-checksums.js';

const MOMENT = { step: 1, timeUs: 1 };
const product = (relativeError: number, shape = '8x8x8', rank = 0) =>
  ({ rank, op: 'linear', layer: 'head', shape, dtype: 'bfloat16', relativeError }) as const;

function learned(samples = 3_000): { checks: ProductChecksums; random: Random } {
  const random = new Random(2);
  const checks = new ProductChecksums(shippedLimits().product_checksum, 1e-7);
  for (let k = 0; k < samples; k += 1) {
    assert.deepEqual(checks.check(product(1e-3 * Math.exp(0.3 * random.normal()), '8x8x8', k % 4), MOMENT), []);
  }
  return { checks, random };
}

test('an error far above those of its kind names the rank; one far below does not', () => {
  const { checks } = learned();
  assert.deepEqual(checks.check(product(0), MOMENT), []);
  const [found] = checks.check(product(1e6, '8x8x8', 2), MOMENT);
  assert.deepEqual([found?.type, found?.severity, found?.ranks], ['INVARIANT_VIOLATION', 'HIGH', [2]]);
  assert.match(found?.detail ?? '', /linear of head \(8x8x8, bfloat16\) on rank 2/);
});

test('each kind of product has its own reference', () => {
  const { checks } = learned();
  assert.deepEqual(checks.check(product(1e6, '9x9x9'), MOMENT), []);
});

test('a checksum that is not a number is told at once', () => {
  const { checks } = learned(1);
  assert.equal(checks.check(product(Number.NaN), MOMENT)[0]?.severity, 'WARNING');
});

test('kinds are bounded', () => {
  const { checks } = learned(1);
  for (let k = 0; k < 300; k += 1) checks.check(product(1, `${k}`), MOMENT);
  assert.equal(checks.notJudged, 300 - 255);
});
