import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuditEntry } from '@sentinel/contracts/sentinel/v1/audit.js';
import { namedBy, outcomeOf } from './outcome.js';

const entry = (gpu: string, detail: object): AuditEntry =>
  AuditEntry.fromPartial({
    gpu,
    detail: Buffer.from(JSON.stringify({ source: 'inference-monitor/canary', ...detail })),
  });
const comparison = (gpu: string, outcome: string) => namedBy(entry(gpu, { event: 'job_comparison', outcome }), 2);
const anomaly = (gpu: string, severity: string) => namedBy(entry(gpu, { event: 'anomaly', severity }), 2);

test('agreements, INFO and decisions tell of nothing wrong', () => {
  assert.equal(comparison('', 'AGREED'), null);
  assert.equal(anomaly('GPU-0', 'INFO'), null);
  assert.equal(namedBy(entry('GPU-0', { event: 'state_changed' }), 2), null);
  assert.equal(comparison('GPU-0', 'COUNTED')?.detector, 'canary');
});

test('right is the harmed device alone', () => {
  const [one, other] = [comparison('GPU-0', 'COUNTED'), anomaly('GPU-1', 'WARNING')];
  assert.ok(one !== null && other !== null);
  assert.equal(outcomeOf('GPU-0', [one, one]), 'right');
  assert.equal(outcomeOf('GPU-0', [one, other]), 'wrong');
  assert.equal(outcomeOf('GPU-1', [one]), 'wrong');
  assert.equal(outcomeOf('GPU-1', []), 'nothing');
});

test('where there is no majority nobody is named, and in a sound round nothing may be told at all', () => {
  const open = comparison('', 'NO_MAJORITY');
  assert.ok(open !== null);
  assert.equal(outcomeOf('GPU-0', [open]), 'nothing');
  assert.equal(outcomeOf(null, [open]), 'wrong');
  assert.equal(outcomeOf(null, []), 'nothing');
});
