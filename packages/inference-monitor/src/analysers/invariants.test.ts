import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Invariants } from './invariants.js';
import type { OutputStats } from './sample.js';
import { sampleOf, shortLimits } from './testing/limits.js';

const limits = shortLimits().invariants;
const kinds = (invariants: Invariants, differing: Parameters<typeof sampleOf>[0]) =>
  invariants.take(sampleOf(differing)).map(({ detector, severity }) => [detector, severity]);

const wrong: readonly (readonly [string, Parameters<typeof sampleOf>[0], string])[] = [
  ['a NaN among the logarithms', { logprobs: [-1, Number.NaN] }, 'nonfinite'],
  ['a logarithm of minus infinity', { logprobs: [Number.NEGATIVE_INFINITY] }, 'nonfinite'],
  ['an entropy that is NaN', { entropy: Number.NaN }, 'nonfinite'],
  ['values that no probability can have', { impossible: 1 }, 'nonfinite'],
  ['a probability above 1', { logprobs: [0.001] }, 'probability'],
  ['a sum above 1', { excess: 0.02 }, 'probability'],
];
for (const [what, differing, detector] of wrong) {
  test(`${what} is a violation at once, told once until it was absent for a while`, () => {
    const invariants = new Invariants(limits);
    assert.deepEqual(kinds(invariants, {}), []);
    assert.deepEqual(kinds(invariants, differing), [[detector, 'HIGH']]);
    assert.deepEqual(kinds(invariants, differing), []);
    for (let k = 0; k <= 101; k += 1) assert.deepEqual(kinds(invariants, {}), []);
    assert.deepEqual(kinds(invariants, differing), [[detector, 'HIGH']]);
  });
}

test('rounding is no violation, whatever the numbers are', () => {
  const logprob = fc.double({ max: 1e-5, min: -1e4, noNaN: true });
  fc.assert(
    fc.property(
      fc.array(logprob, { maxLength: 64 }),
      fc.double({ min: 0, max: 1e-4, noNaN: true }),
      (logprobs, excess) => {
        assert.deepEqual(kinds(new Invariants(limits), { logprobs, excess, maxLogit: 100 }), []);
      },
    ),
  );
});

test('a logit beyond the bound is told; of a model that always has such it is not', () => {
  const seldom = new Invariants(limits);
  for (let k = 0; k < 201; k += 1) seldom.take(sampleOf());
  assert.deepEqual(kinds(seldom, { maxLogit: 1e4 }), [['range', 'HIGH']]);
  const usual = new Invariants(limits);
  assert.deepEqual(kinds(usual, { maxLogit: 150 }), [['range', 'INFO']]);
  for (let k = 0; k < 500; k += 1) assert.deepEqual(kinds(usual, { maxLogit: 150 }), []);
});

test('a tensor that is not finite is told; of an output that always is so it is not', () => {
  const output: OutputStats = { name: 'o', elements: 9, nonfinite: 0, min: 0, max: 1, mean: 0.5 };
  const take = (invariants: Invariants, nonfinite: number) =>
    invariants.take({ ...sampleOf(), blocks: [], outputs: [{ ...output, nonfinite }] });
  const clean = new Invariants(limits);
  for (let k = 0; k < 300; k += 1) assert.deepEqual(take(clean, 0), []);
  assert.equal(take(clean, 2)[0]?.severity, 'HIGH');
  const masked = new Invariants(limits);
  for (let k = 0; k < 300; k += 1) for (const { severity } of take(masked, 2)) assert.equal(severity, 'INFO');
});

test('a tensor that is not finite from among the first requests on is told once it is known not to be usual', () => {
  const output: OutputStats = { name: 'o', elements: 9, nonfinite: 0, min: 0, max: 1, mean: 0.5 };
  const invariants = new Invariants(limits);
  const told: string[] = [];
  for (let k = 0; k < 700; k += 1) {
    const outputs = [{ ...output, nonfinite: k < 120 ? 0 : 2 }];
    told.push(...invariants.take({ ...sampleOf(), blocks: [], outputs }).map(({ severity }) => `${k} ${severity}`));
  }
  assert.deepEqual(told, ['120 INFO', '200 HIGH']);
});

test('probabilities that a server rounds to bfloat16 accuse nobody; a sum that is further off is told at once', () => {
  const rounded = new Invariants(limits);
  const told = [];
  for (let k = 0; k < 2_000; k += 1) told.push(...kinds(rounded, { excess: k % 5 === 0 ? 0.003 : 0 }));
  assert.deepEqual(told, [['probability', 'INFO']]);
  assert.deepEqual(kinds(rounded, { excess: 0.49 }), [['probability', 'HIGH']]);
  const exact = new Invariants(limits);
  for (let k = 0; k < 201; k += 1) exact.take(sampleOf());
  const logprobs = [-0.123_456_789, -2.718_281_8].map(Math.fround);
  assert.deepEqual(kinds(exact, { excess: 0.003, logprobs }), [['probability', 'HIGH']]);
  const seldom = new Invariants(limits);
  for (let k = 0; k < 201; k += 1) seldom.take(sampleOf());
  const half = logprobs.map(Math.f16round);
  assert.deepEqual(kinds(seldom, { excess: 0.003, logprobs: half }), [['probability', 'INFO']]);
  assert.deepEqual(kinds(seldom, { excess: 0.02, logprobs: half }), [['probability', 'HIGH']]);
});

test('keys that are off turn their checks off', () => {
  const off = new Invariants({ ...limits, no_nan_inf: false, non_negative_probs: false });
  assert.deepEqual(kinds(off, { logprobs: [Number.NaN, 1], impossible: 3 }), []);
});
