import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { MonitorMetrics } from './metrics.js';

function metrics(): MonitorMetrics {
  return new MonitorMetrics({
    ...{ node: 'n', runs: () => 1, ranks: () => 8, queueDropped: () => 2, connected: () => false },
    ...{ counts: () => ({ late: 3, crowded: 4, disagreeing: 5 }), spoolRecords: () => 6, spoolBytes: () => 7 },
  });
}

test('every series is there from the start, so that an increase from nothing shows', async () => {
  const page = await metrics().registry.metrics();
  const own = page.split('\n').filter((line) => line.startsWith('sentinel_training_'));
  for (const line of [
    'runs 1',
    'ranks 8',
    'queue_dropped 2',
    'late_copies 3',
    'crowded_rounds 4',
    'disagreeing_copies 5',
  ]) {
    assert.ok(own.includes(`sentinel_training_${line}`), line);
  }
});

test('what the library costs is a sum of seconds', async () => {
  const of = metrics();
  const sample = {
    rank: 0,
    step: 1,
    timeUs: 1,
    loss: 1,
    learningRate: 1,
    localNorm: 1,
    norm: 1,
    maxWeight: 1,
    maxUpdate: 1,
  };
  const rest = { nonfiniteGradients: 0, nonfiniteWeights: 0, layerNorms: [], rankNorms: [], rankLosses: [] };
  of.record({
    kind: 'step',
    sample: { ...sample, ...rest },
    layers: [],
    cost: { overheadUs: 500_000, stepUs: 2_000_000 },
  });
  const page = await of.registry.metrics();
  assert.match(page, /^sentinel_training_overhead_seconds_total 0\.5$/m);
  assert.match(page, /^sentinel_training_step_seconds_total 2$/m);
  assert.match(page, /^sentinel_training_records_total\{kind="step"\} 1$/m);
});

test('docs/training-monitor.md has every metric', async () => {
  const page = readFileSync(new URL('../../../../docs/training-monitor.md', import.meta.url), 'utf8');
  const names = (await metrics().registry.getMetricsAsJSON())
    .map(({ name }) => name)
    .filter((name) => name.startsWith('sentinel_training_'));
  assert.ok(names.length > 15);
  for (const name of names) assert.ok(page.includes(name), name);
});
