import assert from 'node:assert/strict';
import { test } from 'node:test';
import { posteriorOdds } from '../decision.js';
import { deviceWith, draftOf, familyWith, NOW_US, unitWith } from '../testing/device.js';
import { unitBeliefs } from './beliefs.js';
import { UNKNOWN_BIN } from './bins.js';
import { probationEndUs } from './probation.js';
import { lnTotal, neverFailed } from './recursion.js';
import { cleanExecutionsNeeded, REINSTATED_ODDS, reinstated } from './reinstatement.js';
import { failed, firstFailure, passed } from './unit.js';

const DAY_US = 86_400_000_000;
const device = deviceWith('d');
const draft = draftOf([device]);
const beliefs = unitBeliefs(draft, device, NOW_US)({ family: 1, sm: 1 });
const report = (failures: number, executions: number) => ({ executions, failures, timeUs: NOW_US, bin: UNKNOWN_BIN });
const start = neverFailed(beliefs.thetas, beliefs.onset, 0, 0);

test('a unit goes back with odds of 0.01, its past answered for, and on probation for 90 days', () => {
  const posterior = failed(firstFailure(start, beliefs, report(1, 1)), beliefs, report(10, 1000));
  const unit = unitWith({ counted: 11, answers: 10, accused: 11, consecutive: 2, clean: 5, posterior });
  const back = reinstated(draft, device, unit, NOW_US);
  assert.ok(Math.abs(Math.exp(lnTotal(back.posterior?.lnOdds ?? [])) - REINSTATED_ODDS) < 1e-12);
  assert.deepEqual([back.counted, back.answers, back.accused, back.consecutive, back.clean], [0, 0, 0, 0, 0]);
  const on = deviceWith('d', { units: [back] });
  const perHour = (us: number) => unitBeliefs(draftOf([on]), on, us)(back).onset.perHour / beliefs.onset.perHour;
  assert.equal(probationEndUs(back), NOW_US + 90 * DAY_US);
  assert.deepEqual([perHour(NOW_US), perHour(NOW_US + 89 * DAY_US), perHour(NOW_US + 90 * DAY_US)], [100, 100, 1]);
  assert.equal(posteriorOdds.assess(on, null, NOW_US, draftOf([on])).quarantine, false);
  assert.equal(reinstated(draft, device, unitWith({ counted: 1 }), NOW_US).reinstatedUs, NOW_US);
});

test('a unit that always failed needs few clean executions, one that fails seldom needs many', () => {
  const needed = (posterior: ReturnType<typeof failed>): number => {
    const sms = Array.from({ length: 132 }, (_, sm) => sm);
    const families = [1, 2, 3, 4, 5, 6, 7].map((family) => familyWith({ family }));
    const failing = deviceWith('d', { sms, families, units: [unitWith({ posterior, accused: 1, counted: 2 })] });
    const [unit] = posteriorOdds.assess(failing, null, NOW_US, draftOf([failing])).units;
    assert.ok(unit !== undefined);
    return cleanExecutionsNeeded(unit, 1000);
  };
  const unitOfMany = { ...beliefs, onset: { perHour: 1e-3 / 924 / 8766, start: 1e-3 / 924 } };
  const first = firstFailure(neverFailed(unitOfMany.thetas, unitOfMany.onset, 0, 0), unitOfMany, report(1, 1));
  assert.equal(needed(failed(first, unitOfMany, report(2, 2))), 1000, '3 of 3');
  const some = needed(failed(first, unitOfMany, report(10, 1000)));
  assert.ok(Math.abs(some / 15_100 - 1) < 0.05, `${some} after 11 of 1001`);
  assert.equal(
    needed(failed(first, unitOfMany, report(300, 1000))),
    5797,
    'the logarithm of the odds is capped at 575',
  );
  const rare = failed(passed(first, 9999, UNKNOWN_BIN), unitOfMany, report(1, 1));
  assert.ok(needed(rare) > 100_000);
});
