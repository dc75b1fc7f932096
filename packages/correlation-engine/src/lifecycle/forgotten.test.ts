import assert from 'node:assert/strict';
import { test } from 'node:test';
import { posteriorOdds } from '../evidence/decision.js';
import { begin } from '../evidence/draft.js';
import type { Forgettable } from '../evidence/effects.js';
import { MAX_ENDED_INCIDENTS, openIncident, releaseIncident } from '../evidence/incidents.js';
import { newStep } from '../evidence/step.js';
import { configWith } from '../evidence/testing/config.js';
import { describe, deviceIdOf, Fleet, SECOND_US } from './testing/fleet.js';

function forgotten(fleet: Fleet): Partial<Record<Forgettable, number>> {
  const sum: Partial<Record<Forgettable, number>> = {};
  for (const { effects } of fleet.committed)
    for (const [what, count] of Object.entries(effects.forgotten) as [Forgettable, number][])
      sum[what] = (sum[what] ?? 0) + count;
  return sum;
}

test('of few nothing is forgotten', () => {
  const fleet = new Fleet();
  fleet.quarantined('n1');
  assert.deepEqual(forgotten(fleet), {});
});

test('sources and jobs of soft events', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  const anomaly = (source: string, job: string) =>
    fleet.commit({
      kind: 'anomaly',
      node: 'n1',
      gpu: deviceIdOf('n1'),
      source,
      type: 't',
      timeUs: fleet.nowUs,
      job,
      jobGpus: 2,
    });
  for (let i = 0; i < 65; i += 1) anomaly(`source ${i}`, '');
  assert.deepEqual(forgotten(fleet), { soft_source: 65 - 8 + (65 - 64) });
  for (let i = 0; i < 1026; i += 1) anomaly('source 64', `job ${i}`);
  assert.equal(forgotten(fleet).soft_job, 2);
});

test('cohorts of a node whose devices fail', () => {
  const fleet = new Fleet();
  const devices = Array.from({ length: 66 }, (_, i) => describe(`GPU-${i}`, { model: `Model ${i}` }));
  fleet.hello('n1', { devices });
  for (const { id } of devices) fleet.batch('n1', [{ device: id, fails: [{ sm: 1 }] }]);
  assert.deepEqual(forgotten(fleet), { failing_cohort: 2 });
});

test('canaries that find no room', () => {
  const tmr = { enabled: true, interval_seconds: 1, timeout_ms: 30_000, selection_strategy: 'round_robin' } as const;
  const fleet = new Fleet(configWith({}, { tmr }));
  for (let i = 0; i < 40; i += 1) {
    fleet.hello(`n${i}`);
    fleet.batch(`n${i}`, [{}]);
  }
  fleet.advance(3600 * SECOND_US);
  const { leftOut } = fleet.state.canaries;
  assert.ok(leftOut > 0, 'nobody answers, so that too many are open');
  assert.deepEqual(forgotten(fleet), { canary: leftOut });
});

test('incidents that ended', () => {
  const draft = begin(new Fleet().state);
  const step = newStep(draft, { commitSeq: 1, nowUs: 1 }, { kind: 'record', commitSeq: 1 }, posteriorOdds);
  for (let i = 0; i < MAX_ENDED_INCIDENTS + 3; i += 1) {
    const cohort = JSON.stringify(['v', `m${i}`, 'd', 1, 1]);
    const opening = { pattern: 'PROBE_OR_SOFTWARE', cohort, node: '', nodes: [], devices: [], reason: '' } as const;
    const opened = openIncident(
      step,
      { ...opening, nodes: [], devices: [], cordoned: false },
      { timeUs: 1, injected: false },
    );
    releaseIncident(step, opened?.id ?? '', { actor: 'a', reason: 'r' });
  }
  assert.deepEqual(step.effects.forgotten, { ended_incident: 3 });
});
