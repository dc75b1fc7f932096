import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { posteriorOdds } from '../evidence/decision.js';
import { begin } from '../evidence/draft.js';
import type { DeviceState } from '../evidence/model/device.js';
import { lnTotal } from '../evidence/posterior/recursion.js';
import { FMA32, INT_AES, type RunSpec } from '../evidence/testing/batches.js';
import { deviceIdOf, Fleet, SECOND_US } from './testing/fleet.js';

const COLD = { temperatureC: 40, powerW: 90 };
const HOT = { temperatureC: 75, powerW: 400 };

/** Runs of one device, a second apart, some failing on one SM or two. */
const run: fc.Arbitrary<RunSpec> = fc
  .record({
    family: fc.constantFrom(FMA32, FMA32, INT_AES),
    context: fc.constantFrom(undefined, COLD, HOT),
    failing: fc.constantFrom([], [], [], [1], [1], [3], [1, 3]),
  })
  .map(({ family, context, failing }) => ({
    family,
    ...(context === undefined ? {} : { context }),
    fails: failing.map((sm) => ({ sm, siblingsPassed: 2 })),
  }));
const story = fc.array(run, { minLength: 1, maxLength: 40, size: 'max' });
const cuts = fc.array(fc.nat(40), { maxLength: 10 });

function timed(runs: readonly RunSpec[]): RunSpec[] {
  return runs.map((spec, i) => ({ ...spec, index: i, offsetUs: i * SECOND_US }));
}

function parts<T>(list: readonly T[], at: readonly number[]): T[][] {
  const ends = [...new Set([0, ...at.filter((cut) => cut < list.length), list.length])].sort((a, b) => a - b);
  return ends.slice(1).map((end, i) => list.slice(ends[i], end));
}

function started(...nodes: string[]): Fleet {
  const fleet = new Fleet();
  for (const node of nodes) fleet.hello(node);
  return fleet;
}

function oddsOf(fleet: Fleet, node: string): number[] {
  const device = fleet.device(deviceIdOf(node));
  const { odds, gpuOdds, units } = posteriorOdds.assess(device, null, fleet.nowUs, begin(fleet.state));
  return [odds, gpuOdds, ...units.map((unit) => unit.odds)];
}

function posteriors(device: DeviceState): unknown {
  return device.units.map(({ family, sm, posterior }) => ({ family, sm, posterior }));
}

test('however the runs of a device are split into batches, the odds are the same', () => {
  let failures = 0;
  fc.assert(
    fc.property(story, cuts, (runs, at) => {
      const told = (batches: readonly RunSpec[][]): Fleet => {
        const fleet = started('n1');
        const baseUs = fleet.nowUs;
        fleet.nowUs += 3600 * SECOND_US;
        for (const batch of batches) fleet.batch('n1', batch, baseUs);
        return fleet;
      };
      const [whole, split] = [told([timed(runs)]), told(parts(timed(runs), at))];
      const [a, b] = [oddsOf(whole, 'n1'), oddsOf(split, 'n1')];
      assert.equal(a.length, b.length);
      a.forEach((odds, i) => assert.ok(Math.abs(odds / (b[i] ?? 0) - 1) <= 1e-9, `${a} ${b}`));
      failures += whole.device(deviceIdOf('n1')).units.length;
    }),
    { numRuns: 200 },
  );
  assert.ok(failures > 50, 'the stories failed');
});

test('the order in which batches of different agents arrive changes no posterior', () => {
  fc.assert(
    fc.property(story, story, fc.infiniteStream(fc.boolean()), (one, two, mix) => {
      const told = (firstNext: () => boolean): Fleet => {
        const fleet = started('n1', 'n2');
        const baseUs = fleet.nowUs;
        fleet.nowUs += 3600 * SECOND_US;
        const [left, right] = [parts(timed(one), [3, 9, 20]), parts(timed(two), [5, 8])];
        while (left.length + right.length > 0) {
          const node = right.length === 0 || (left.length > 0 && firstNext()) ? 'n1' : 'n2';
          fleet.batch(node, (node === 'n1' ? left : right).shift() ?? [], baseUs);
        }
        return fleet;
      };
      const [inOrder, mixed] = [told(() => true), told(() => mix.next().value === true)];
      for (const node of ['n1', 'n2']) {
        const id = deviceIdOf(node);
        assert.deepEqual(posteriors(mixed.device(id)), posteriors(inOrder.device(id)));
        assert.deepEqual(oddsOf(mixed, node), oddsOf(inOrder, node));
      }
    }),
    { numRuns: 100 },
  );
});

test('one run more that fails never lowers the odds of the device', () => {
  fc.assert(
    fc.property(story, fc.nat(), (runs, choice) => {
      const told = (list: readonly RunSpec[]): number => {
        const fleet = started('n1');
        const baseUs = fleet.nowUs;
        fleet.nowUs += 3600 * SECOND_US;
        const plain = list.map(({ context, ...spec }) => spec);
        fleet.batch('n1', timed(plain), baseUs);
        return oddsOf(fleet, 'n1')[0] ?? 0;
      };
      const at = choice % runs.length;
      const chosen = runs[at] ?? {};
      const fails = [...(chosen.fails ?? []).filter(({ sm }) => sm !== 1), { sm: 1, siblingsPassed: 2 }];
      assert.ok(told(runs.with(at, { ...chosen, fails })) >= told(runs) * (1 - 1e-9));
    }),
    { numRuns: 200 },
  );
});

test('a look at the odds changes nothing', () => {
  const fleet = started('n1');
  fleet.failTwice('n1');
  const before = JSON.stringify(fleet.saved());
  const first = oddsOf(fleet, 'n1');
  assert.deepEqual(oddsOf(fleet, 'n1'), first);
  assert.equal(JSON.stringify(fleet.saved()), before);
  const [unit] = fleet.device(deviceIdOf('n1')).units;
  assert.ok(lnTotal(unit?.posterior?.lnOdds ?? []) > 0);
});
