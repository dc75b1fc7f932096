import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completeFleet } from './complete-fleet.js';
import { BREADTH_KEEP_US, incidentEndUs } from './incident-end.js';
import { CONFIG } from './testing/config.js';
import { breadthEntry } from './testing/device.js';

const endOf = (...lastUs: number[]) => {
  const entries = lastUs.map((us, i) => breadthEntry(`n${i}`, { lastUs: us }));
  const facts = { ...completeFleet(null), breadth: { c: entries }, incidents: { c: 0 } };
  return incidentEndUs(facts, 'c', CONFIG.gates);
};

test('an incident ends 7 days after the third newest of its nodes last failed', () => {
  assert.equal(endOf(50, 10, 40, 30), 30 + BREADTH_KEEP_US);
});

test('with fewer nodes than an incident needs it is over', () => {
  assert.equal(endOf(50, 10), 0);
});
