import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../testing/random.js';
import { SampleEwma } from './sample-ewma.js';

const OPTIONS = { alpha: 0.05, warmup: 500, sigma: 4, drift: 0.15 };

test('a drift passes both limits; one alarm, however long it lasts', () => {
  const random = new Random(1);
  const chart = new SampleEwma(OPTIONS);
  for (let k = 0; k < 3_000; k += 1) assert.equal(chart.push(20 + random.normal()), null);
  const found = Array.from({ length: 300 }, () => chart.push(24 + random.normal()));
  assert.equal(found.filter((drift) => drift?.first === true).length, 1);
  assert.ok((found.at(-1)?.drift ?? 0) > 0.15);
});

test('many standard deviations that are a small part of the level are none', () => {
  const random = new Random(2);
  const chart = new SampleEwma(OPTIONS);
  for (let k = 0; k < 500; k += 1) chart.push(20 + 0.01 * random.normal());
  for (let k = 0; k < 500; k += 1) assert.equal(chart.push(21), null);
});
