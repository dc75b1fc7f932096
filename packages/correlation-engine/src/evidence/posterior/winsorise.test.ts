import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mulberry } from '../testing/random.js';
import { ALWAYS_COUNTED, mostOf, type Pooled, rateOf, winsorised } from './winsorise.js';

const PRIOR = 1e-9;
/** A family on 132 SMs, once a minute, for five years. */
const FIVE_YEARS = 132 * 5 * 365.25 * 1440;

const exponential = (random: () => number): number => -Math.log1p(-random());

/** Numbers of events of a Poisson process: gaps between them are exponential. */
function poisson(mean: number, random: () => number): number {
  let count = 0;
  let at = exponential(random);
  while (at < mean) {
    count += 1;
    at += exponential(random);
  }
  return count;
}

function fleet(size: number, rate: number, seed: number): Pooled[] {
  const random = mulberry(seed);
  return Array.from({ length: size }, () => ({
    executions: FIVE_YEARS,
    failures: poisson(rate * FIVE_YEARS, random),
  }));
}

function learned(devices: readonly Pooled[]): number {
  const executions = devices.reduce((sum, device) => sum + device.executions, 0);
  const few = devices.filter(({ failures }) => failures <= ALWAYS_COUNTED);
  const failures = few.reduce((sum, device) => sum + device.failures, 0);
  const many = devices.filter((device) => device.failures > ALWAYS_COUNTED);
  return rateOf(PRIOR, { executions, failures: winsorised(PRIOR, { executions, failures }, many) });
}

/** With as many failures as are expected: the prior stands for one in 1e9 executions. */
function expected(size: number, rate: number): number {
  const executions = size * FIVE_YEARS;
  return rateOf(PRIOR, { executions, failures: rate * executions });
}

test('five years of passing faults are learned as they are, at 1e-8 and beyond: off by no more than chance', () => {
  fc.assert(
    fc.property(fc.integer(), fc.constantFrom(1e-8, 1e-7, 1e-6), (seed, rate) => {
      const size = 500;
      const deviation = 1 / Math.sqrt(size * rate * FIVE_YEARS);
      const off = learned(fleet(size, rate, seed)) / expected(size, rate) - 1;
      assert.ok(Math.abs(off) < 5 * deviation, `${rate}: ${off}, and a deviation is ${deviation}`);
    }),
    { numRuns: 60 },
  );
});

test('without bias: the mean of 200 fleets', () => {
  for (const [rate, tolerance] of [
    [1e-8, 0.012],
    [1e-7, 0.004],
  ] as const) {
    const fleets = Array.from({ length: 200 }, (_, seed) => learned(fleet(100, rate, seed + 1)) / expected(100, rate));
    const mean = fleets.reduce((sum, ratio) => sum + ratio, 0) / fleets.length;
    assert.ok(Math.abs(mean - 1) < tolerance, `${mean}, more than three deviations off`);
  }
});

test('one defective device of a hundred raises the rate by less than 5 %, however often it fails', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 4, max: 1e9 }), (seed, failures) => {
      const healthy = fleet(99, 1e-8, seed);
      const without = learned([...healthy, { executions: FIVE_YEARS, failures: 0 }]);
      const ratio = learned([...healthy, { executions: FIVE_YEARS, failures }]) / without;
      assert.ok(ratio >= 1 && ratio < 1.05, `${ratio}`);
    }),
    { numRuns: 200 },
  );
});

test('beside one other device it counts for what that one makes likely, and no more', () => {
  const [bad, good] = [
    { executions: FIVE_YEARS, failures: 1e9 },
    { executions: FIVE_YEARS, failures: 0 },
  ];
  const other = rateOf(PRIOR, good) * FIVE_YEARS;
  assert.equal(winsorised(PRIOR, { executions: 2 * FIVE_YEARS, failures: 0 }, [bad]), mostOf(other));
  assert.ok(mostOf(other) <= 5);
});

test('no count, however large, gives anything but a number', () => {
  const counts = fc.record({ executions: fc.double({ min: 0, max: 1e15, noNaN: true }), failures: fc.maxSafeNat() });
  fc.assert(
    fc.property(fc.array(counts, { minLength: 1, maxLength: 8 }), (devices) => {
      const rate = learned(devices);
      assert.ok(rate > 0 && Number.isFinite(rate));
    }),
  );
});
