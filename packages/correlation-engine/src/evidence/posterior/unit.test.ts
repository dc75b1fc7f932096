import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UNKNOWN_BIN, withBin } from './bins.js';
import { lnTotal, neverFailed } from './recursion.js';
import { type Beliefs, failed, firstFailure, lnOddsAt, passed } from './unit.js';

const HOUR_US = 3_600_000_000;
const PER_YEAR = 1e-3 / (132 * 7);
const BELIEFS: Beliefs = {
  thetas: [0.999, 0.1, 0.01, 1e-3, 1e-4, 1e-5],
  onset: { perHour: PER_YEAR / 8766, start: PER_YEAR },
  lambda: 1e-9,
  otherBinWeight: 0.1,
};
const HOT = 13;
const COLD = 3;
const at = (timeUs: number, bin = UNKNOWN_BIN) => ({ executions: 1, failures: 1, timeUs, bin });

function once(bin = UNKNOWN_BIN) {
  return firstFailure(neverFailed(BELIEFS.thetas, BELIEFS.onset, 80_640, 1344), BELIEFS, at(0, bin));
}

test('however passes are split into reports between two failures, the odds are the same', () => {
  const reports = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(reports, fc.integer({ min: 0, max: 10_000 }), (counts, hours) => {
      const whole = counts.reduce((a, b) => a + b, 0);
      const apart = counts.reduce((unit, count) => passed(unit, count, UNKNOWN_BIN), once());
      const together = passed(once(), whole, UNKNOWN_BIN);
      const endUs = hours * HOUR_US;
      // A look in between folds nothing.
      lnOddsAt(apart, BELIEFS, endUs / 2);
      const [a, b] = [failed(apart, BELIEFS, at(endUs)), failed(together, BELIEFS, at(endUs))];
      const [x, y] = [lnTotal(a.lnOdds), lnTotal(b.lnOdds)];
      assert.ok(Math.abs(Math.expm1(x - y)) <= 1e-9, `${x} ${y}`);
    }),
  );
});

test('passes where it never failed count a tenth', () => {
  const hot = passed(once(HOT), 10_000, COLD);
  assert.deepEqual([hot.same, hot.other, hot.bins], [0, 10_000, withBin(0, HOT)]);
  const tenth = passed(once(HOT), 1000, HOT);
  assert.deepEqual(lnOddsAt(hot, BELIEFS, 0), lnOddsAt(tenth, BELIEFS, 0));
  assert.equal(passed(failed(hot, BELIEFS, at(0, COLD)), 5, COLD).same, 5, 'once it failed there they count in full');
});

test('one execution more that fails never lowers the odds', () => {
  const story = fc.array(fc.boolean(), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(story, fc.nat(), fc.integer({ min: 1, max: 100 }), (fails, choice, perHour) => {
      const odds = (list: readonly boolean[]): number => {
        const stepUs = HOUR_US / perHour;
        let unit = once();
        list.forEach((fail, i) => {
          unit = fail ? failed(unit, BELIEFS, at(i * stepUs)) : passed(unit, 1, UNKNOWN_BIN);
        });
        return lnTotal(lnOddsAt(unit, BELIEFS, list.length * stepUs));
      };
      const more = fails.with(choice % fails.length, true);
      assert.ok(odds(more) >= odds(fails) - 1e-9, `${odds(more)} ${odds(fails)}`);
    }),
  );
});

test('a grid of another size keeps the odds', () => {
  const coarse = { ...BELIEFS, thetas: [0.5, 0.01] };
  const unit = once();
  assert.ok(Math.abs(lnTotal(lnOddsAt(unit, coarse, 0)) - lnTotal(unit.lnOdds)) < 1e-9);
});

test('a posterior survives JSON, however often the unit fails', () => {
  let unit = once();
  for (let i = 1; i < 2000; i += 1) unit = failed(passed(unit, 3, COLD), BELIEFS, at(i * HOUR_US, HOT));
  assert.ok(lnTotal(unit.lnOdds) > 10_000);
  assert.deepEqual(JSON.parse(JSON.stringify(unit)), unit);
});
