import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Random } from '../testing/random.js';
import { binOf, distanceOf, layBins } from './histogram.js';

const OPTIONS = { strategy: 'quantile', bins: 256, maxBins: 16 } as const;

function countsOf(edges: readonly number[], values: readonly number[]): number[] {
  const counts = Array.from({ length: edges.length + 1 }, () => 0);
  for (const value of values) counts[binOf(edges, value)] = (counts[binOf(edges, value)] ?? 0) + 1;
  return counts;
}

test('bins are about equally full, however the values are distributed', () => {
  const random = new Random(1);
  for (const draw of [() => random.normal(), () => Math.exp(2 * random.normal())]) {
    const values = Array.from({ length: 10_000 }, draw);
    const counts = countsOf(layBins(values, OPTIONS), values);
    assert.equal(counts.length, 16);
    assert.ok(Math.min(...counts) > 500 && Math.max(...counts) < 760, counts.join(' '));
  }
});

test('edges ascend, are no more than wanted, and every value has a bin', () => {
  const values = fc.array(fc.oneof(fc.integer({ min: 0, max: 5 }), fc.double({ noNaN: true, min: -1e6, max: 1e6 })), {
    minLength: 1,
  });
  const strategy = fc.constantFrom('uniform' as const, 'quantile' as const);
  fc.assert(
    fc.property(values, strategy, fc.integer({ min: 2, max: 32 }), (list, kind, maxBins) => {
      const edges = layBins(list, { strategy: kind, bins: 64, maxBins });
      assert.ok(edges.length < maxBins);
      assert.ok(edges.every((edge, k) => k === 0 || edge > (edges[k - 1] ?? 0)));
      const counts = countsOf(edges, list);
      assert.equal(
        counts.reduce((sum, count) => sum + count, 0),
        list.length,
      );
      assert.ok(counts.every((count) => count > 0));
    }),
  );
});

test('of equal distributions scores are normal deviates and the divergence is 0 on average; of others both are large', () => {
  const random = new Random(2);
  const draw = (n: number, scale = 1) => Array.from({ length: n }, () => scale * random.normal());
  const reference = draw(40_000);
  const edges = layBins(reference.slice(0, 10_000), OPTIONS);
  const usual = countsOf(edges, reference);
  const of = (scale: number, symmetric: boolean) => distanceOf(countsOf(edges, draw(225, scale)), usual, symmetric);
  for (const symmetric of [true, false]) {
    const found = Array.from({ length: 400 }, () => of(1, symmetric));
    const mean = found.reduce((sum, { score }) => sum + score, 0) / 400;
    const variance = found.reduce((sum, { score }) => sum + (score - mean) ** 2, 0) / 400;
    assert.ok(Math.abs(mean) < 0.2 && Math.abs(variance - 1) < 0.25, `${mean} ${variance}`);
    const nats = found.reduce((sum, each) => sum + each.nats, 0) / 400;
    assert.ok(Math.abs(nats) < 0.003, String(nats));
    assert.ok(of(1.6, symmetric).score > 4);
    assert.ok(of(1.6, symmetric).nats > 0.05);
  }
});
