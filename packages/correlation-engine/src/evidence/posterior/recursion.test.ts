import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { displayedScore } from '../score.js';
import { afterFailures, afterPasses, lnTotal, neverFailed, oddsOf, probabilityOf, sharesOf } from './recursion.js';

const THETAS = [0.999, 0.1, 0.01, 1e-3, 1e-4, 1e-5];
const LAMBDA = 1e-9;
/** One of 132 * 7 units of a device. */
const PER_YEAR = 1e-3 / (132 * 7);
const ONSET = { perHour: PER_YEAR / 8766, start: PER_YEAR };

/** Reports in order: [executions, failures]. */
type Reports = readonly (readonly [number, number])[];

/** Eight clean weeks at 60 executions per hour, then the reports, at one moment. */
function after(reports: Reports): number {
  let ln = neverFailed(THETAS, ONSET, 60 * 1344, 1344);
  for (const [count, failures] of reports) {
    if (failures > 0) ln = afterFailures(ln, THETAS, LAMBDA, failures, count);
    else ln = afterPasses(ln, THETAS, ONSET, count, 0);
  }
  return oddsOf(lnTotal(ln));
}

// Figures of an independent computation (numpy) of the same model; it takes the passes of a burst with ln(1 - theta) where
// passes are exp(-theta) here, hence the tolerance.
const TOLERANCE = 2e-3;
const examples: [string, Reports, number, number][] = [
  ['no evidence', [], 1.121e-7, 0.9901],
  [
    '1 mismatch, burst clean',
    [
      [1, 1],
      [1000, 0],
    ],
    0.001513,
    0.99,
  ],
  [
    '1 mismatch and 1 of 1000 in the burst',
    [
      [1, 1],
      [1000, 1],
    ],
    168.6,
    0.7036,
  ],
  [
    '2 mismatches 1e4 executions apart',
    [
      [1, 1],
      [1000, 0],
      [9000, 0],
      [1, 1],
    ],
    22.63,
    0.7915,
  ],
  [
    '3 mismatches 1e4 apart',
    [
      [1, 1],
      [1000, 0],
      [9000, 0],
      [1, 1],
      [10_000, 0],
      [1, 1],
    ],
    560_300,
    0.483,
  ],
  [
    'hard stuck, 3 of 3',
    [
      [1, 1],
      [1, 1],
      [1, 1],
    ],
    345_700_000_000_000,
    0.2709,
  ],
];
for (const [name, reports, odds, score] of examples) {
  test(`agrees with an independent computation: ${name}`, () => {
    const computed = after(reports);
    assert.ok(Math.abs(computed / odds - 1) < TOLERANCE, `${computed} against ${odds}`);
    assert.ok(Math.abs(displayedScore(computed, { alpha: 100, beta: 1 }).score - score) < 1e-4);
  });
}

test('passes fold as their sum, whatever their number', () => {
  const start = afterFailures(neverFailed(THETAS, ONSET, 1e5, 100), THETAS, LAMBDA, 1, 1);
  const none = { perHour: 0, start: 1 };
  fc.assert(
    fc.property(fc.array(fc.nat(100_000), { minLength: 1, maxLength: 20 }), (counts) => {
      const whole = counts.reduce((a, b) => a + b, 0);
      const together = afterPasses(start, THETAS, none, whole, 0);
      const apart = counts.reduce((ln, count) => afterPasses(ln, THETAS, none, count, 0), start);
      together.forEach((ln, j) => assert.ok(Math.abs(ln - (apart[j] ?? 0)) <= 1e-9 * Math.max(1, Math.abs(ln))));
    }),
  );
});

test('without executions a defect may begin, and nothing is forgotten', () => {
  const before = neverFailed(THETAS, ONSET, 1000, 1);
  const later = afterPasses(before, THETAS, ONSET, 0, 1000);
  const grown = oddsOf(lnTotal(later)) - oddsOf(lnTotal(before));
  assert.ok(Math.abs(grown / (1000 * ONSET.perHour) - 1) < 1e-9);
});

test('what never failed is bounded by its onset, however long it ran, and young things may be dead on arrival', () => {
  assert.ok(Math.abs(oddsOf(lnTotal(neverFailed(THETAS, ONSET, 0, 0))) / PER_YEAR - 1) < 1e-12);
  const old = neverFailed(THETAS, ONSET, 60 * 8766 * 10, 87_660);
  // Steady state of each: onset against the rate at which it would show.
  assert.ok(Math.abs((old[2] ?? 0) - Math.log(ONSET.perHour / 6 / (0.01 * 60))) < 1e-9);
});

const extreme = fc.oneof(
  fc.double({ noNaN: true, min: 0, max: 1.7e308 }),
  fc.constantFrom(0, 1, 1e9, 1e18, 5e-324, 1.7e308),
);

test('no numbers make a NaN or an infinity', () => {
  fc.assert(
    fc.property(extreme, extreme, extreme, extreme, fc.double({ noNaN: true, min: 1e-15, max: 1e-5 }), (...all) => {
      const [count, hours, failures, perHour, lambda] = all;
      const onset = { perHour: Math.min(perHour, 1), start: Math.min(1, Math.max(1e-300, perHour)) };
      let ln = neverFailed(THETAS, onset, count, hours);
      for (const next of [afterFailures, afterPasses, afterFailures]) {
        ln =
          next === afterPasses
            ? afterPasses(ln, THETAS, onset, count, hours)
            : afterFailures(ln, THETAS, lambda, Math.max(1, failures), Math.max(1, failures, count));
        const odds = oddsOf(lnTotal(ln));
        const numbers = [...ln, ...sharesOf(ln), odds, probabilityOf(odds)];
        assert.ok(numbers.every(Number.isFinite), JSON.stringify([all, numbers]));
        assert.deepEqual(JSON.parse(JSON.stringify(ln)), ln);
      }
    }),
    {
      numRuns: 1000,
      examples: [
        [1.7e308, 1.7e308, 1.7e308, 1, 1e-15],
        [1.7e308, 0, 1e308, 0, 1e-15],
      ],
    },
  );
});

test('one more failure in a report never lowers the odds', () => {
  const count = fc.integer({ min: 2, max: 1e6 });
  fc.assert(
    fc.property(count, fc.double({ noNaN: true, min: 0, max: 1 }), (executions, part) => {
      const failures = 1 + Math.floor(part * (executions - 2));
      const before = neverFailed(THETAS, ONSET, 1e5, 1e3);
      const odds = (f: number): number => lnTotal(afterFailures(before, THETAS, LAMBDA, f, executions));
      assert.ok(odds(failures + 1) > odds(failures));
    }),
  );
});
