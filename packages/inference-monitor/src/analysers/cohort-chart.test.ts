import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '@sentinel/monitor-kit/testing/random';
import { CohortChart } from './cohort-chart.js';

const OPTIONS = { lambda: 0.2, limit: 4.5, reference: 100, side: 'both' } as const;

function replicas(count: number, seed: number) {
  const random = new Random(seed);
  const charts = Array.from({ length: count }, () => new CohortChart(OPTIONS));
  let block = 0;
  /** @param shift by replica @returns who alarmed, by itself and against the others */
  const run = (blocks: number, shift: (replica: number) => number) => {
    const [own, cohort] = [new Set<number>(), new Set<number>()];
    for (let k = 0; k < blocks; k += 1, block += 1) {
      for (const [replica, chart] of charts.entries())
        if (chart.take(block, shift(replica) + random.normal(), 225) !== null) own.add(replica);
      const means = charts.map((chart) => chart.mean(block)?.mean ?? Number.NaN);
      for (const [replica, chart] of charts.entries()) {
        const others = means.filter((_, other) => other !== replica);
        if (chart.compare(block, others) !== null) cohort.add(replica);
      }
    }
    return { own: [...own], cohort: [...cohort] };
  };
  return { charts, run, newest: () => block - 1 };
}

test('what all replicas do at once shows in their own charts and accuses none against the others', () => {
  const { run } = replicas(4, 1);
  run(100, () => 0);
  const { own, cohort } = run(30, () => 5);
  assert.deepEqual([own.length, cohort], [4, []]);
});

for (const count of [3, 4, 8]) {
  test(`one of ${count} is named, and the others are not moved by it`, () => {
    const { run } = replicas(count, 2);
    run(100, () => 0);
    assert.deepEqual(run(100, (replica) => (replica === 2 ? 5 : 0)).cohort, [2]);
  });
}

test('replicas that always differ by much, as with other users each, are no drift', () => {
  const { run } = replicas(3, 4);
  run(100, (replica) => 10 * replica);
  assert.deepEqual(run(200, (replica) => 10 * replica).cohort, []);
});

test('of two replicas that drift apart either may be the one: both are named', () => {
  const { run } = replicas(2, 5);
  run(100, () => 0);
  assert.deepEqual(run(30, (replica) => 5 * replica).cohort.sort(), [0, 1]);
});

test('the chart against others judges while they are there', () => {
  const { charts, run, newest } = replicas(2, 3);
  const [chart] = charts;
  assert.ok(chart !== undefined);
  run(50, () => 0);
  assert.equal(chart.hasCohort(newest()), false);
  run(60, () => 0);
  assert.equal(chart.hasCohort(newest()), true);
  for (let k = 1; k <= 3; k += 1) chart.take(newest() + k, 0, 225);
  assert.equal(chart.hasCohort(newest() + 3), false);
});

test('a block is compared once, and only while it is known', () => {
  const chart = new CohortChart(OPTIONS);
  for (let block = 0; block < 20; block += 1) chart.take(block, 1, 225);
  assert.equal(chart.mean(0), null);
  assert.deepEqual(chart.mean(19), { mean: 1, requests: 225 });
  chart.compare(19, [1]);
  chart.compare(19, [1]);
  chart.compare(0, [1]);
  assert.equal(chart.state.cohort.learnt.length, 1);
});
