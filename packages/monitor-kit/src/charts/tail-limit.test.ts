import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../testing/random.js';
import { TailLimit } from './tail-limit.js';

function limitAfter(samples: number, draw: (random: Random) => number, seed = 1): number {
  const random = new Random(seed);
  const tail = new TailLimit(1e-6);
  for (let k = 0; k < samples; k += 1) tail.push(Math.abs(draw(random)));
  return tail.limit;
}

test('there is no limit before there is a reference', () => {
  assert.equal(
    limitAfter(199, (random) => random.normal()),
    Number.POSITIVE_INFINITY,
  );
  assert.ok(limitAfter(200, (random) => random.normal()) < Number.POSITIVE_INFINITY);
});

test('the limit of a light tail is a little beyond its quantile, that of a heavy one far out', () => {
  const normal = limitAfter(40_000, (random) => random.normal());
  // 4.89 standard deviations are passed once in a million.
  assert.ok(normal > 4.89 && normal < 12, `${normal}`);
  const heavy = limitAfter(40_000, (random) => random.t4());
  // 40 are, of Student's t with four degrees of freedom.
  assert.ok(heavy > 40, `${heavy}`);
});

test('a limit follows its series: an old reference is replaced', () => {
  const random = new Random(5);
  const tail = new TailLimit(1e-6);
  for (let k = 0; k < 40_000; k += 1) tail.push(100 * Math.abs(random.normal()));
  const wide = tail.limit;
  for (let k = 0; k < 40_000; k += 1) tail.push(Math.abs(random.normal()));
  assert.ok(tail.limit < wide / 50, `${tail.limit} after ${wide}`);
});

test('scores of zero alone make no limit', () => {
  assert.equal(
    limitAfter(1_000, () => 0),
    Number.POSITIVE_INFINITY,
  );
});
