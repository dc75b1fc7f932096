import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mulberry } from '../testing/random.js';
import { lnTotal, neverFailed, oddsOf, probabilityOf } from './recursion.js';
import { type Beliefs, failed, firstFailure, lnOddsAt, passed } from './unit.js';

// A world in which the model is true: defects begin as often as it believes, and fail with one of its probabilities. Defects
// and passing faults are frequent, so that a thousand units fail within the test, but keep their distance from each other.
const THETAS = [0.03, 0.01, 3e-3, 1e-3];
const LAMBDA = 1e-5;
const ONSET = { perHour: 4e-4, start: 0.02 };
const BELIEFS: Beliefs = { thetas: THETAS, onset: ONSET, lambda: LAMBDA, otherBinWeight: 0.1 };
const PER_HOUR = 60;
const HOURS = 50;
const EXECUTIONS = HOURS * PER_HOUR;
const HOUR_US = 3_600_000_000;
const UNITS = 200_000;

test('of the units that the model calls p likely to be defective, a share of p is', () => {
  const random = mulberry(20_261_127);
  const limits = [0, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99];
  const bins = limits.map(() => ({ units: 0, said: 0, variance: 0, defective: 0 }));
  for (let i = 0; i < UNITS; i += 1) {
    const { defective, failures } = unit(random);
    if (failures.length === 0) continue;
    const p = probabilityAfter(failures);
    const bin = bins[limits.findLastIndex((limit) => p >= limit)];
    assert.ok(bin !== undefined);
    bin.units += 1;
    bin.said += p;
    bin.variance += p * (1 - p);
    if (defective) bin.defective += 1;
  }
  bins.forEach(({ units, said, variance, defective }, i) => {
    assert.ok(units > 20, `only ${units} units from ${limits[i]} on`);
    const off = Math.abs(defective - said);
    assert.ok(
      off < 1 + 4 * Math.sqrt(variance),
      `from ${limits[i]} on ${said} of ${units} expected, ${defective} found`,
    );
  });
});

/** One unit and the executions that fail, counted from 0. */
function unit(random: () => number): { defective: boolean; failures: number[] } {
  const begins = random() < probabilityOf(ONSET.start) ? 0 : (-Math.log(random()) / ONSET.perHour) * PER_HOUR;
  const theta = THETAS[Math.floor(random() * THETAS.length)] ?? 0;
  const onset = Math.min(EXECUTIONS, Math.ceil(begins));
  const failures = [...failing(random, 0, onset, LAMBDA), ...failing(random, onset, EXECUTIONS, theta)];
  return { defective: onset < EXECUTIONS, failures };
}

function failing(random: () => number, from: number, until: number, probability: number): number[] {
  const found: number[] = [];
  const skip = (): number => Math.floor(Math.log(random()) / Math.log1p(-probability));
  for (let at = from + skip(); at < until; at += 1 + skip()) found.push(at);
  return found;
}

function probabilityAfter(failures: readonly number[]): number {
  const [first = 0, ...others] = failures;
  const report = (at: number) => ({ executions: 1, failures: 1, timeUs: ((at + 1) / PER_HOUR) * HOUR_US, bin: 0 });
  let posterior = firstFailure(neverFailed(THETAS, ONSET, first, first / PER_HOUR), BELIEFS, report(first));
  let last = first;
  for (const at of others) {
    posterior = failed(passed(posterior, at - last - 1, 0), BELIEFS, report(at));
    last = at;
  }
  const now = lnOddsAt(passed(posterior, EXECUTIONS - 1 - last, 0), BELIEFS, HOURS * HOUR_US);
  return probabilityOf(oddsOf(lnTotal(now)));
}
