import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completeFleet } from './complete-fleet.js';
import { BREADTH_KEEP_US, incidentEndUs } from './incident-end.js';
import { CONFIG } from './testing/config.js';
import { breadthEntry, deviceWith, failuresWith, incidentWith } from './testing/device.js';

const endOf = (...lastUs: number[]) => {
  const nodes = lastUs.map((us, i) => breadthEntry(`n${i}`, { lastUs: us }));
  const facts = { ...completeFleet(null), failing: { c: failuresWith(nodes) } };
  return incidentEndUs(incidentWith({ cohort: 'c' }), facts, CONFIG.gates, () => undefined);
};

test('an incident ends 7 days after the third newest of its nodes last failed', () => {
  assert.equal(endOf(50, 10, 40, 30), 30 + BREADTH_KEEP_US);
});

test('with fewer nodes than an incident needs it is over', () => {
  assert.equal(endOf(50, 10), 0);
});

test('a fault of a node ends 7 days after the second newest of its devices last failed', () => {
  const lastUs = new Map(Object.entries({ a: 50, b: 10, c: 40 }));
  const incident = incidentWith({ pattern: 'NODE_CORRELATED', cohort: '', node: 'n', devices: ['a', 'b', 'c'] });
  const deviceOf = (id: string) => deviceWith(id, { lastObservationUs: lastUs.get(id) ?? null });
  assert.equal(incidentEndUs(incident, completeFleet(null), CONFIG.gates, deviceOf), 40 + BREADTH_KEEP_US);
});
