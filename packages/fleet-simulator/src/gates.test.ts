import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ALL_GATES } from '@sentinel/correlation-engine/core';
import type { Outcome } from './report/outcome.js';
import { parseScenario } from './scenario/read.js';
import { simulate } from './simulate.js';

type Gate = Parameters<(typeof ALL_GATES)['has']>[0];

/** The same fleet with all gates, and without one. */
function withAndWithout(
  gate: Gate,
  fault: string,
  { more = '', gpusPerNode = 8 } = {},
): { all: Outcome; without: Outcome } {
  const limits = 'limits: { failing_runs: 1, per_hours: 24, failures_per_directive: 2 }';
  const content = `name: mutant\nhours: 6\nwarmup_hours: 24\nfleet: { gpus: 64, sms: 16, self_tested: false, gpus_per_node: ${gpusPerNode} }\n${limits}\n${more}\nfaults: [${fault}]`;
  const scenario = parseScenario('mutant.yaml', content);
  const gates = new Set([...ALL_GATES].filter((name) => name !== gate));
  return { all: simulate(scenario, 1), without: simulate(scenario, 1, { gates }) };
}

it('without the integrity gate a spoiled golden takes its GPUs out', () => {
  const { all, without } = withAndWithout(
    'integrity',
    '{ kind: software, family: fma32, rate: 0.3, node: 0, golden: damaged }',
  );
  assert.equal(all.falseSuspects, 0);
  assert.ok(without.falseSuspects > 0);
});

it('without the locality gate a GPU is out whose SMs all give the same wrong result', () => {
  const fault = '{ kind: software, family: fma32, rate: 1, digest: shared, node: 0 }';
  const { all, without } = withAndWithout('locality', fault, { gpusPerNode: 1 });
  assert.deepEqual([all.falseQuarantines.length, without.falseQuarantines.length], [0, 1]);
});

it('without the dwell gate a stuck unit is out at once', () => {
  const { all, without } = withAndWithout('dwell', '{ kind: unit, gpu: 3, family: fma32, rate: 1 }');
  const hours = ({ struck }: Outcome): number => struck[0]?.quarantineHours ?? Number.NaN;
  assert.ok(hours(all) - hours(without) > 0.15, `${hours(all)} and ${hours(without)} h`);
});

it('without the breadth gate racy software takes GPUs out, as many as the rate limit lets', () => {
  const fault = '{ kind: software, family: fma32, rate: 0.3, fraction: 0.15, spread_hours: 0.02 }';
  const { all, without } = withAndWithout('breadth', fault, { gpusPerNode: 1 });
  assert.deepEqual([all.falseQuarantines.length, all.incidents.length], [0, 1]);
  assert.ok(without.falseQuarantines.length >= 2);
});

it('without the node gate a bad node has its GPUs taken out', () => {
  const { all, without } = withAndWithout('node', '{ kind: node, node: 2, rate: 1e-2 }');
  assert.deepEqual([all.falseQuarantines.length, all.nodesAttributed.length], [0, 1]);
  assert.ok(without.falseQuarantines.length > 0);
});

it('without the cohort gate a build that few run has its GPUs taken out', () => {
  const { all, without } = withAndWithout(
    'cohort',
    '{ kind: unit, gpu: 3, family: fma32, rate: 0.1, start_hours: 1 }',
    { more: 'events: [{ at_hours: 0.5, what: driver_update, node: 0 }]' },
  );
  assert.equal(all.struck[0]?.quarantineHours, null);
  assert.notEqual(without.struck[0]?.quarantineHours, null);
});

it('without the rate limit as many are taken out in an hour as fail', () => {
  const faults = ['fma32', 'tc_fp16', 'sfu', 'int_aes', 'regfile', 'smem']
    .map((family, i) => `{ name: ${family}, kind: unit, gpu: ${8 * i}, family: ${family}, rate: 1 }`)
    .join(', ');
  const { all, without } = withAndWithout('rate-limit', faults);
  const soon = ({ struck }: Outcome): number => struck.filter(({ quarantineHours: h }) => h !== null && h < 0.5).length;
  assert.ok(soon(all) <= 2 && soon(without) === 6, `${soon(all)} and ${soon(without)}`);
});
