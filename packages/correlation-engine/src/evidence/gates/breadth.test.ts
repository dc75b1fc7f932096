import assert from 'node:assert/strict';
import { test } from 'node:test';
import { censusOf } from '../cohorts.js';
import { BREADTH_KEEP_US } from '../incident-end.js';
import type { BreadthEntry, FleetFacts } from '../model.js';
import { FMA32 } from '../testing/batches.js';
import { CONFIG } from '../testing/config.js';
import { breadthEntry, deviceWith, draftOf, familyWith, NOW_US, unitWith } from '../testing/device.js';
import { breadthGate, breadthOf, poissonTail } from './breadth.js';

// Computed with 60 decimal digits.
const TAILS: [number, number, number][] = [
  [3, 0.01, 1.654216528074877e-7],
  [3, 1e-6, 1.666665416667167e-19],
  [20, 5, 3.45213582091446e-7],
  [5, 12.5, 0.9946544945128659],
  [1, 0.5, 0.3934693402873666],
  [0, 3, 1],
];
for (const [k, mu, expected] of TAILS) {
  test(`P(X >= ${k}) of a Poisson variable of mean ${mu}`, () => {
    assert.ok(Math.abs(poissonTail(k, mu) / expected - 1) < 1e-12);
  });
}

test('a mean of 0 has no tail', () => {
  assert.deepEqual([poissonTail(0, 0), poissonTail(1, 0)], [1, 0]);
});

test('three nodes at once are an incident, two are not, and three over a year among many devices neither', () => {
  const nodes = (count: number, fields: Partial<BreadthEntry> = {}) =>
    Array.from({ length: count }, (_, i) => breadthEntry(`n${i}`, fields));
  assert.equal(breadthOf(nodes(3), 100, CONFIG.gates, NOW_US).incident, true);
  assert.equal(breadthOf(nodes(2), 100, CONFIG.gates, NOW_US).incident, false);
  const hour = 3_600_000_000;
  assert.equal(breadthOf(nodes(3, { newUs: NOW_US - 100 * hour }), 30_000, CONFIG.gates, NOW_US).incident, false);
  assert.equal(breadthOf(nodes(3, { newUs: NOW_US - BREADTH_KEEP_US }), 100, CONFIG.gates, NOW_US).nodes, 0);
});

const COHORT = familyWith().cohort;
const accused = deviceWith('d0', { node: 'n0', units: [unitWith({ counted: 1, epoch: 7, index: 0, digest: 99 })] });
const fleet = [accused, ...['n1', 'n2', 'n3'].map((node) => deviceWith(`d-${node}`, { node }))];

function gate(facts: Partial<FleetFacts>, devices = fleet) {
  const draft = draftOf(devices, facts);
  return breadthGate(draft, (key) => censusOf(draft, key), CONFIG.gates, accused, [FMA32], NOW_US);
}

const seed = { epoch: 7, index: 0, digest: 5 };

test('below three nodes it cannot be evaluated, and says so', () => {
  const answer = gate({}, fleet.slice(0, 2));
  assert.equal(answer.verdict, 'NOT_EVALUABLE');
  assert.deepEqual(answer.accusing, [FMA32], 'which is not in the way');
});

test('an incident holds the devices that fail alike and lets one accuse that fails in its own way', () => {
  const alike = ['n0', 'n1', 'n2'].map((node) => breadthEntry(node, { ...seed, digest: 99 }));
  assert.equal(gate({ breadth: { [COHORT]: alike } }).verdict, 'HOLD');
  const others = ['n1', 'n2', 'n3'].map((node) => breadthEntry(node, seed));
  assert.equal(gate({ breadth: { [COHORT]: others } }).verdict, 'PASS');
  const unknown = ['n1', 'n2', 'n3'].map((node) => breadthEntry(node, { ...seed, epoch: 8 }));
  assert.equal(gate({ breadth: { [COHORT]: unknown } }).verdict, 'HOLD', 'digests of other seeds compare to nothing');
});

test('a declared incident holds until it is closed, however old its nodes are', () => {
  const old = { newUs: NOW_US - 2 * BREADTH_KEEP_US, lastUs: NOW_US - 1000 };
  const breadth = { [COHORT]: ['n1', 'n2', 'n3'].map((node) => breadthEntry(node, old)) };
  assert.equal(gate({ breadth, incidents: { [COHORT]: old.newUs } }).verdict, 'HOLD');
  assert.equal(gate({ breadth }).verdict, 'PASS');
});
