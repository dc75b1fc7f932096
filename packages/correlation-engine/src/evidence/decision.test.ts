import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { posteriorOdds } from './decision.js';
import type { CoreConfig } from './model/settings.js';
import type { UnitState } from './model/unit.js';
import { UNKNOWN_BIN } from './posterior/bins.js';
import { firstFailure } from './posterior/unit.js';
import { CONFIG } from './testing/config.js';
import { deviceWith, draftOf, NOW_US, unitWith } from './testing/device.js';

function assess(units: UnitState[], config: CoreConfig = CONFIG) {
  const device = deviceWith('d', { units });
  return posteriorOdds.assess(device, null, NOW_US, draftOf([device], {}, config));
}

const cases: [string, UnitState[], boolean][] = [
  ['nothing', [], false],
  ['a mismatch that no sibling could check', [unitWith({ unlocated: 9 })], false],
  ['one observation', [unitWith({ counted: 1 })], false],
  ["the agent's own rerun, which is no answer", [unitWith({ counted: 50, consecutive: 1 })], false],
  ['an answer whose first observation is not among them', [unitWith({ counted: 1, answers: 1 })], false],
  ['two, one in answer', [unitWith({ counted: 2, answers: 1 })], true],
  ['two on different units', [unitWith({ counted: 1 }), unitWith({ sm: 2, counted: 1, answers: 1 })], true],
  ['three failing runs in a row, without an answer', [unitWith({ counted: 3, consecutive: 3 })], true],
];
for (const [name, units, quarantine] of cases) {
  test(`asks for a quarantine or not: ${name}`, () => {
    const assessment = assess(units);
    assert.equal(assessment.quarantine, quarantine);
    assert.equal(assessment.missing === '', quarantine);
  });
}

test('without evidence a defect is very unlikely, and chance explains everything', () => {
  const { odds, probability, causes, units } = assess([]);
  assert.ok(odds > 0 && odds < 2e-3, String(odds));
  assert.ok(Math.abs(probability - odds / (1 + odds)) < 1e-15);
  assert.ok(causes.chance > 0.998);
  assert.deepEqual(units, []);
});

const POSTERIOR = firstFailure(
  [-30, -30, -2, -30, -30, -30],
  {
    thetas: CONFIG.attribution.failure_probabilities,
    onset: { perHour: 0, start: 1e-9 },
    lambda: 1e-9,
    otherBinWeight: 0.1,
  },
  { executions: 1, failures: 1, timeUs: NOW_US, bin: UNKNOWN_BIN },
);
const LIKELY = unitWith({
  counted: 2,
  answers: 1,
  posterior: POSTERIOR,
});

test('a unit says how likely it fails, and how seldom it may', () => {
  const [unit] = assess([LIKELY]).units;
  assert.deepEqual([unit?.family, unit?.sm, unit?.thetaEff], [1, 1, 0.01]);
  assert.ok((unit?.odds ?? 0) > 1e5);
});

test('enough observations below the odds that a quarantine needs ask for none, and say what is missing', () => {
  const strict = { ...CONFIG, attribution: { ...CONFIG.attribution, quarantine_odds: 1e300 } };
  const { quarantine, missing } = assess([LIKELY], strict);
  assert.equal(quarantine, false);
  assert.match(missing, /^further mismatches: /);
});

test('the families that a gate leaves decide alone', () => {
  const device = deviceWith('d', { units: [LIKELY] });
  const draft = draftOf([device]);
  assert.equal(posteriorOdds.assess(device, [1], NOW_US, draft).quarantine, true);
  assert.equal(posteriorOdds.assess(device, [2], NOW_US, draft).quarantine, false);
});

test('what every record asks is answered as the whole assessment answers it, wherever the threshold lies', () => {
  const failing = fc.record({
    sm: fc.constantFrom(0, 1, 2, 3),
    counted: fc.nat({ max: 4 }),
    answers: fc.nat({ max: 1 }),
    accused: fc.nat({ max: 4 }),
    consecutive: fc.nat({ max: 3 }),
    lnOdds: fc.option(fc.double({ min: -20, max: 400, noNaN: true }), { nil: null }),
  });
  fc.assert(
    fc.property(
      fc.uniqueArray(failing, { selector: ({ sm }) => sm }),
      fc.double({ min: -12, max: 12 }),
      (list, shift) => {
        const units = list.map(({ lnOdds, ...fields }) => {
          const posterior = lnOdds === null ? null : { ...POSTERIOR, lnOdds: POSTERIOR.lnOdds.map(() => lnOdds) };
          return unitWith({ ...fields, posterior });
        });
        const { odds } = assess(units);
        // Thresholds of exactly the odds, and on both sides of them.
        for (const quarantine_odds of [odds, odds * (1 + 2 ** -52), odds * Math.exp(shift || 0)]) {
          const config = { ...CONFIG, attribution: { ...CONFIG.attribution, quarantine_odds } };
          const device = deviceWith('d', { units });
          const facts = draftOf([device], {}, config);
          const whole = posteriorOdds.assess(device, null, NOW_US, facts);
          const { quarantine, hardObservations, answers } = whole;
          const decision = { quarantine, hardObservations, answers };
          assert.deepEqual(posteriorOdds.decide(device, null, NOW_US, facts), decision);
          assert.equal(posteriorOdds.odds(device, NOW_US, facts), whole.odds);
        }
      },
    ),
  );
});
