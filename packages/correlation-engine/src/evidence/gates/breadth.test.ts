import assert from 'node:assert/strict';
import { test } from 'node:test';
import { censusOf } from '../census.js';
import { BREADTH_KEEP_US } from '../incident-end.js';
import type { BreadthEntry, FleetFacts } from '../model/fleet.js';
import { FMA32 } from '../testing/batches.js';
import { CONFIG } from '../testing/config.js';
import {
  breadthEntry,
  deviceWith,
  draftOf,
  failuresWith,
  familyWith,
  incidentWith,
  NOW_US,
  unitWith,
} from '../testing/device.js';
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

const nodes = (count: number, fields: Partial<BreadthEntry> = {}) =>
  Array.from({ length: count }, (_, i) => breadthEntry(`n${i}`, fields));
const HOUR_US = 3_600_000_000;

test('three nodes at once are an incident, two are not, and three over a year among many devices neither', () => {
  assert.equal(breadthOf(failuresWith(nodes(3)), 100, CONFIG, NOW_US).incident, true);
  assert.equal(breadthOf(failuresWith(nodes(2)), 100, CONFIG, NOW_US).incident, false);
  const old = failuresWith(nodes(3, { newUs: NOW_US - 100 * HOUR_US }));
  assert.equal(breadthOf(old, 30_000, CONFIG, NOW_US).incident, false);
  assert.equal(breadthOf(failuresWith(nodes(3, { newUs: NOW_US - BREADTH_KEEP_US })), 100, CONFIG, NOW_US).nodes, 0);
});

test('where passing faults are frequent it takes nodes that fail again', () => {
  const chancePerHour = 8e-6;
  const ten = (againUs: number | null) =>
    failuresWith(nodes(10, { newUs: NOW_US - 100 * HOUR_US, againUs }), { chancePerHour, devicesPerNode: 8 });
  assert.equal(breadthOf(ten(null), 10_000, CONFIG, NOW_US).incident, false, '13 are expected in a week');
  const again = breadthOf(ten(NOW_US), 10_000, CONFIG, NOW_US);
  assert.deepEqual([again.incident, again.measure, again.nodes], [true, 'second mismatch', 10]);
});

test('what an operator called hardware speaks for no incident any more', () => {
  const released = failuresWith(nodes(5), { releasedUs: NOW_US });
  assert.equal(breadthOf(released, 100, CONFIG, NOW_US + 1).incident, false);
  const later = [...nodes(5), ...['x', 'y', 'z'].map((node) => breadthEntry(node, { newUs: NOW_US + 1 }))];
  const breadth = breadthOf(failuresWith(later, { releasedUs: NOW_US }), 100, CONFIG, NOW_US + 1);
  assert.deepEqual([breadth.incident, breadth.nodes], [true, 3]);
});

const COHORT = familyWith().cohort;
const accused = deviceWith('d0', { node: 'n0', units: [unitWith({ counted: 1, epoch: 7, index: 0, digest: 99 })] });
const fleet = [accused, ...['n1', 'n2', 'n3'].map((node) => deviceWith(`d-${node}`, { node }))];

function gate(facts: Partial<FleetFacts>, devices = fleet) {
  const draft = draftOf(devices, facts);
  return breadthGate(draft, (key) => censusOf(draft, key), accused, [FMA32], NOW_US);
}

const failing = (digests: { digest: number; nodes: number }[], epoch = 7) => {
  const voters = digests.reduce((sum, entry) => sum + entry.nodes, 0);
  return { [COHORT]: failuresWith(nodes(4), { votes: [{ epoch, index: 0, voters, digests }] }) };
};

test('below three nodes it cannot be evaluated, and says so', () => {
  const answer = gate({}, fleet.slice(0, 2));
  assert.equal(answer.verdict, 'NOT_EVALUABLE');
  assert.deepEqual(answer.accusing, [FMA32], 'which is not in the way');
});

test('an incident holds the devices that fail alike and lets one accuse that fails in its own way', () => {
  assert.equal(gate({ failing: failing([{ digest: 99, nodes: 4 }]) }).verdict, 'HOLD');
  const alone = [
    { digest: 5, nodes: 3 },
    { digest: 99, nodes: 1 },
  ];
  assert.equal(gate({ failing: failing(alone) }).verdict, 'PASS');
  assert.equal(gate({ failing: failing(alone, 8) }).verdict, 'HOLD', 'digests of other seeds compare to nothing');
  const racy = [99, 1, 2, 3].map((digest) => ({ digest, nodes: 1 }));
  assert.equal(gate({ failing: failing(racy) }).verdict, 'HOLD', 'where all differ, to differ is no sign');
});

test('an incident holds until it ends, however old its nodes are', () => {
  const old = { newUs: NOW_US - 2 * BREADTH_KEEP_US, lastUs: NOW_US - 1000 };
  const failures = { [COHORT]: failuresWith(nodes(3, old)) };
  const held = gate({ failing: failures, incidents: [incidentWith()] });
  assert.equal(held.verdict, 'HOLD');
  assert.equal(held.inputs.fma32_incident, 'incident-1');
  assert.equal(gate({ failing: failures }).verdict, 'PASS');
  assert.equal(gate({ failing: failures, incidents: [incidentWith({ endedUs: NOW_US })] }).verdict, 'PASS');
});
