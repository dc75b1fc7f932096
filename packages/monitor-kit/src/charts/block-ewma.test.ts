import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Random } from '../testing/random.js';
import { BlockEwma } from './block-ewma.js';

const OPTIONS = { lambda: 0.2, limit: 4.5, reference: 192, side: 'both' } as const;

function learnt(random: Random, options: { side: 'up' | 'both' } = { side: 'both' }): BlockEwma {
  const chart = new BlockEwma({ ...OPTIONS, ...options });
  for (let block = 0; block < OPTIONS.reference; block += 1) assert.equal(chart.push(5 + random.normal()), null);
  return chart;
}

test('it says nothing before it has a reference, then finds a shift in a few blocks', () => {
  const random = new Random(1);
  const chart = learnt(random);
  const { level, scale } = chart.reference ?? { level: 0, scale: 0 };
  assert.ok(Math.abs(level - 5) < 0.3 && Math.abs(scale - 1) < 0.25);
  const found = Array.from({ length: 12 }, () => chart.push(8 + random.normal()));
  const at = found.findIndex((drift) => drift !== null);
  assert.ok(at >= 1 && at <= 5, String(at));
  assert.ok((found.at(-1)?.shift ?? 0) > 2);
  // One alarm, however long it lasts.
  assert.equal(found.filter((drift) => drift?.first === true).length, 1);
});

test('one wild block is no drift', () => {
  const chart = learnt(new Random(2));
  assert.equal(chart.push(1e9), null);
});

test('a chart of one side takes no notice of the other', () => {
  const chart = learnt(new Random(3), { side: 'up' });
  for (let block = 0; block < 50; block += 1) assert.equal(chart.push(0), null);
});

test('a new level is learnt out of an alarm alone', () => {
  const random = new Random(4);
  const chart = learnt(random);
  for (let block = 0; block < 3 * OPTIONS.reference; block += 1) chart.push(9 + random.normal());
  assert.ok(Math.abs((chart.reference?.level ?? 0) - 5) < 0.3);
  assert.equal(chart.alarmed, true);
  for (let block = 0; block < OPTIONS.reference + 20; block += 1) chart.push(5.3 + random.normal());
  assert.ok(Math.abs((chart.reference?.level ?? 0) - 5.3) < 0.3);
  assert.equal(chart.alarmed, false);
});

test('its state, kept as text, makes a chart that goes on as if nothing had been', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 0, max: 450 }), (seed, cut) => {
      const random = new Random(seed);
      const whole = new BlockEwma(OPTIONS);
      let restarted = new BlockEwma(OPTIONS);
      for (let block = 0; block < 450; block += 1) {
        if (block === cut) restarted = new BlockEwma(OPTIONS, JSON.parse(JSON.stringify(restarted.state)));
        const mean = random.normal() + (block > 400 ? 3 : 0);
        assert.deepEqual(restarted.push(mean), whole.push(mean));
      }
    }),
    { numRuns: 30 },
  );
});
