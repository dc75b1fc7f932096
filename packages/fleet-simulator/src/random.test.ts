import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Random } from './random.js';

const N = 20_000;

it('a name determines its stream, another name gives another one', () => {
  const draw = (...name: (string | number)[]) => Array.from({ length: 5 }, () => new Random(1, ...name).uniform());
  assert.deepEqual(draw('a', 2), draw('a', 2));
  assert.notDeepEqual(draw('a', 2), draw('a', 3));
});

it('geometric and exponential draws have their means', () => {
  const random = new Random(7, 'means');
  const mean = (draw: () => number) => Array.from({ length: N }, draw).reduce((sum, x) => sum + x, 0) / N;
  assert.ok(Math.abs(mean(() => random.geometric(0.02)) / 50 - 1) < 0.03);
  assert.ok(Math.abs(mean(() => random.exponential(4)) * 4 - 1) < 0.03);
  assert.equal(random.geometric(1), 1);
  assert.equal(random.geometric(0), Number.POSITIVE_INFINITY);
});

it('successes are those of independent trials of which at least one succeeded', () => {
  const random = new Random(7, 'successes');
  const trials = 10;
  const p = 0.15;
  const counts = new Array<number>(trials).fill(0);
  for (let i = 0; i < N; i += 1) {
    const found = random.successes(trials, p);
    assert.ok(found.length >= 1 && found.every((at) => at >= 0 && at < trials));
    for (const at of found) counts[at] = (counts[at] ?? 0) + 1;
  }
  const expected = (p / (1 - (1 - p) ** trials)) * N;
  for (const count of counts) assert.ok(Math.abs(count / expected - 1) < 0.06, `${count} of ${expected}`);
  assert.deepEqual(random.successes(3, 1), [0, 1, 2]);
});

it('binomial draws have their mean, and the ends are certain', () => {
  const random = new Random(7, 'binomial');
  let sum = 0;
  for (let i = 0; i < N; i += 1) sum += random.binomial(12, 0.3);
  assert.ok(Math.abs(sum / N / 3.6 - 1) < 0.02);
  assert.deepEqual([random.binomial(12, 0), random.binomial(12, 1)], [0, 12]);
});

it('chooses different numbers', () => {
  const chosen = new Random(1, 'choose').choose(5, 9);
  assert.equal(new Set(chosen).size, 5);
  assert.deepEqual(
    chosen,
    [...chosen].sort((a, b) => a - b),
  );
});
