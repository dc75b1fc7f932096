import assert from 'node:assert/strict';
import { test } from 'node:test';
import { begin, type Draft, install } from '../draft.js';
import { addExposure } from '../exposure.js';
import type { DeviceState } from '../model/device.js';
import { deviceWith, draftOf, familyWith, NOW_US, unitWith } from '../testing/device.js';
import { asksForRates, healthyRate, learnedRate, learnRates } from './rates.js';
import { mostOf } from './winsorise.js';

const COHORT = familyWith().cohort;
const DAY_US = 86_400_000_000;

function ran(draft: Draft, deviceId: string, executions: number, failures: number): void {
  const times = { firstRunUs: NOW_US - 365.25 * DAY_US, lastRunUs: NOW_US };
  addExposure(draft, { deviceId, family: 1, runs: 1, executions, failures, notRun: 0, ...times });
}

function learned(devices: readonly DeviceState[], failures: (index: number) => number): Draft {
  const draft = draftOf(devices);
  devices.forEach(({ id }, i) => {
    ran(draft, id, 1e9, failures(i));
  });
  asksForRates(draft, NOW_US - DAY_US);
  learnRates(draft, NOW_US);
  return draft;
}

const fleet = (count: number) => Array.from({ length: count }, (_, i) => deviceWith(`d${i}`));

test('the rate is that of the healthy devices of the cohort, and the prior where they show nothing', () => {
  const draft = learned(fleet(100), (i) => (i % 2 === 0 ? 1 : 0));
  assert.deepEqual(draft.fleet?.rates.cohorts[COHORT], { executions: 1e11, failures: 50 });
  const rate = healthyRate(draft, deviceWith('other'), 1);
  assert.ok(Math.abs(rate / 5.05e-10 - 1) < 1 || rate === 1e-9, 'never below the prior');
  assert.equal(rate, 1e-9);
  const noisy = learned(fleet(100), () => 3);
  assert.ok(Math.abs(healthyRate(noisy, deviceWith('other'), 1) / 3e-9 - 1) < 0.01);
  assert.equal(healthyRate(noisy, deviceWith('d0', { families: [familyWith({ cohort: 'x' })] }), 1), 1e-9);
});

test('one bad device does not excuse its cohort, and none excuses itself', () => {
  const one = learned(fleet(2), (i) => (i === 0 ? 1_000_000 : 0));
  assert.equal(
    one.fleet?.rates.cohorts[COHORT]?.failures,
    mostOf(0.5),
    'what one failure of the other would make likely',
  );
  assert.ok(healthyRate(one, deviceWith('d0'), 1) < healthyRate(one, deviceWith('d1'), 1));
  assert.equal(learnedRate(1e-9, { executions: 1e9, failures: 2 }, { executions: 1e9, failures: 2 }), 1e-9);
});

test('suspects are left out', () => {
  const suspect = deviceWith('s', { state: 'SUSPECT', units: [unitWith({ counted: 1 })] });
  const draft = learned([suspect, deviceWith('d')], () => 2);
  assert.deepEqual(draft.fleet?.rates.cohorts[COHORT], { executions: 1e9, failures: 2 });
});

test('a suspect that was cleared counts again, with what it failed', () => {
  const cleared = deviceWith('s', { units: [unitWith({ counted: 0 })] });
  const draft = learned([cleared, deviceWith('d')], () => 2);
  assert.deepEqual(draft.fleet?.rates.cohorts[COHORT], { executions: 2e9, failures: 4 });
});

test('it is learned once a day while there is something to learn, and never in a fleet without wrong results', () => {
  const noisy = learned(fleet(3), () => 1);
  assert.equal(noisy.fleet?.rates.dueUs, NOW_US + DAY_US);
  const rates = noisy.fleet?.rates;
  learnRates(noisy, NOW_US + DAY_US - 1);
  assert.equal(noisy.fleet?.rates, rates);
  const clean = learned(fleet(3), () => 0);
  assert.equal(clean.fleet?.rates.dueUs, null);
  assert.deepEqual(clean.fleet?.rates.cohorts, {});
});

test('years of service are counted by model', () => {
  const draft = learned(fleet(4), () => 0);
  assert.deepEqual(
    Object.values(draft.fleet?.rates.years ?? {}).map((years) => years.toFixed(2)),
    ['4.00'],
  );
});

test('what is learned is the same whether its executions were committed before or are of this transaction', () => {
  const together = learned(fleet(5), () => 2);
  const earlier = draftOf(fleet(5));
  for (const { id } of fleet(5)) ran(earlier, id, 1e9, 2);
  install(earlier);
  const later = begin(earlier.base);
  asksForRates(later, NOW_US - DAY_US);
  learnRates(later, NOW_US);
  assert.deepEqual(later.fleet?.rates, together.fleet?.rates);
});
