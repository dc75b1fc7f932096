import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../testing/random.js';
import { SpikeChart } from './spike-chart.js';

function learned(side: 'up' | 'both' = 'both'): { chart: SpikeChart; random: Random } {
  const random = new Random(11);
  const chart = new SpikeChart({ window: 100, least: 5, probability: 1e-7, side, minScale: 1e-9 });
  for (let k = 0; k < 2_000; k += 1) assert.equal(chart.push(10 + random.normal()), null);
  return { chart, random };
}

test('a value far from the median is a spike, and an episode is told once', () => {
  const { chart, random } = learned();
  const spike = chart.push(10 + 1_000);
  assert.equal(spike?.first, true);
  assert.ok(spike.deviation > 500 && spike.limit < 500);
  assert.equal(chart.push(10 - 1_000)?.first, false);
  for (let k = 0; k < 10; k += 1) assert.equal(chart.push(10 + random.normal()), null);
  assert.equal(chart.push(10 - 1_000)?.first, true);
});

test('upwards alone where only that is bad, and wider where more is expected', () => {
  const { chart } = learned('up');
  assert.equal(chart.push(10 - 1_000), null);
  const { chart: allowed } = learned('up');
  assert.equal(allowed.push(10 + 1_000, 1_000), null);
});

test('nothing is a spike before the tail of the series is known', () => {
  const chart = new SpikeChart({ window: 20, least: 5, probability: 1e-7, side: 'both', minScale: 1e-9 });
  const random = new Random(3);
  for (let k = 0; k < 150; k += 1) chart.push(random.normal());
  assert.equal(chart.push(1e9), null);
});

test('equal values in a row are no scale: the least one holds', () => {
  const chart = new SpikeChart({ window: 20, least: 5, probability: 1e-7, side: 'both', minScale: 1 });
  for (let k = 0; k < 300; k += 1) assert.equal(chart.push(k % 2), null);
  assert.equal(chart.push(2), null);
});

test('a new level that is known begins a new window', () => {
  const { chart, random } = learned();
  chart.restart();
  for (let k = 0; k < 200; k += 1) assert.equal(chart.push(500 + random.normal()), null);
});
