import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { QUARANTINE_ODDS, twoObservations, UNCONFIRMED_ODDS, UNLOCATED_ODDS } from './decision.js';
import type { UnitState } from './model.js';
import { unitWith } from './testing/device.js';

const cases: [string, UnitState[], boolean, number][] = [
  ['nothing', [], false, 0],
  ['a mismatch that no sibling could check', [unitWith({ unlocated: 9 })], false, UNLOCATED_ODDS],
  ['one observation', [unitWith({ counted: 1 })], false, UNCONFIRMED_ODDS],
  ["the agent's own rerun, which is no answer", [unitWith({ counted: 50 })], false, UNCONFIRMED_ODDS],
  [
    'an answer whose first observation is not among them',
    [unitWith({ counted: 1, answers: 1 })],
    false,
    UNCONFIRMED_ODDS,
  ],
  ['two, one in answer', [unitWith({ counted: 2, answers: 1 })], true, 2 * QUARANTINE_ODDS],
  [
    'two on different units',
    [unitWith({ counted: 1 }), unitWith({ sm: 1, counted: 1, answers: 1 })],
    true,
    2 * QUARANTINE_ODDS,
  ],
];
for (const [name, units, quarantine, odds] of cases) {
  test(name, () => {
    const assessment = twoObservations.assess(units);
    assert.equal(assessment.quarantine, quarantine);
    assert.equal(assessment.odds, odds);
    assert.equal(assessment.missing === '', quarantine);
  });
}

test('the order of the units does not matter, and clean executions clear nobody', () => {
  const units = fc.array(
    fc.record({ counted: fc.nat(3), answers: fc.nat(2), unlocated: fc.nat(2), clean: fc.nat(5000) }).map(unitWith),
    { maxLength: 5 },
  );
  fc.assert(
    fc.property(units, (list) => {
      const assessment = twoObservations.assess(list);
      assert.deepEqual(twoObservations.assess(list.toReversed()), assessment);
      assert.deepEqual(twoObservations.assess(list.map((entry) => ({ ...entry, clean: 0 }))), assessment);
    }),
  );
});
