import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HEALTHY } from '@sentinel/monitor-kit/testing/healthy';
import { type Alarms, CHARTS, healthyReplicas } from '../bench/support/healthy-replicas.js';
import { shippedLimits } from '../bench/support/limits.js';

/** False alarm episodes per chart and GPU-day, docs/inference-monitor.md. */
const GOAL = 0.01;

const FLEET = { replicas: 8, days: 15, limits: shippedLimits() };

test('healthy replicas alarm as seldom as the goal says, by the shipped limits, whatever their numbers are like', () => {
  const found = Object.fromEntries(CHARTS.map((chart) => [chart, { events: 0, days: 0 }])) as Record<
    (typeof CHARTS)[number],
    Alarms
  >;
  for (const [k, process] of HEALTHY.entries()) healthyReplicas({ ...FLEET, process, seed: 77 + k }, found);
  for (const [chart, { events, days }] of Object.entries(found)) {
    assert.ok(days > 350, `${chart} judged ${days} days`);
    assert.ok(events / days <= GOAL, `${chart}: ${events} alarms in ${days} GPU-days`);
  }
});

test('the same replicas alarm far more often by limits that take no account of so many blocks', () => {
  const limits = shippedLimits();
  const narrow = {
    ...limits,
    block_ewma: { ...limits.block_ewma, limit: 2.5 },
    kl_divergence: { ...limits.kl_divergence, limit: 2.5 },
  };
  const found = Object.fromEntries(CHARTS.map((chart) => [chart, { events: 0, days: 0 }])) as Record<
    (typeof CHARTS)[number],
    Alarms
  >;
  const [process] = HEALTHY;
  assert.ok(process !== undefined);
  healthyReplicas({ ...FLEET, limits: narrow, process, seed: 77 }, found);
  for (const [chart, { events, days }] of Object.entries(found))
    assert.ok(events / days > GOAL, `${chart}: ${events} alarms in ${days} GPU-days`);
});
