import assert from 'node:assert/strict';
import { test } from 'node:test';
import { posteriorOdds } from '../evidence/decision.js';
import { begin } from '../evidence/draft.js';
import type { AnomalyRecord } from '../evidence/job-record.js';
import { unitBeliefs } from '../evidence/posterior/beliefs.js';
import { softCusum } from '../evidence/soft/soft.js';
import { explain } from '../explain/explain.js';
import { DAY_US, describe, deviceIdOf, eventNames, Fleet, SECOND_US } from './testing/fleet.js';

const ID = deviceIdOf('n1');

function watched(nodes = 50): Fleet {
  const fleet = new Fleet();
  for (let i = 1; i <= nodes; i += 1) fleet.hello(`n${i}`);
  return fleet;
}

function anomaly(fleet: Fleet, fields: Partial<AnomalyRecord> = {}) {
  const base = { node: 'n1', gpu: ID, source: 'monitor/entropy', job: '', jobGpus: 0 };
  return fleet.commit({ kind: 'anomaly', ...base, type: 'ENTROPY_ANOMALY', timeUs: fleet.nowUs, ...fields });
}

const cusum = (fleet: Fleet, id = ID) => softCusum(begin(fleet.state), fleet.device(id), fleet.nowUs);

/** An event on each of some days. */
function days(fleet: Fleet, count: number): void {
  for (let i = 0; i < count; i += 1) {
    anomaly(fleet);
    fleet.advance(DAY_US);
  }
}

test('an anomaly is recorded, and makes defects likelier to begin', () => {
  const fleet = watched();
  const onset = () => unitBeliefs(begin(fleet.state), fleet.device(ID), fleet.nowUs)({ family: 1, sm: 1 }).onset;
  const before = onset();
  assert.deepEqual(eventNames(anomaly(fleet)), ['anomaly']);
  assert.ok(cusum(fleet) > 1 && cusum(fleet) < 3);
  assert.ok(Math.abs(Math.log(onset().perHour / before.perHour) - cusum(fleet)) < 1e-9);
  assert.equal(onset().start, before.start);
  assert.equal(fleet.device(ID).state, 'HEALTHY');
});

test('more than elsewhere makes SUSPECT, never more; quiet days make it healthy again', () => {
  const fleet = watched();
  days(fleet, 6);
  assert.equal(fleet.device(ID).state, 'SUSPECT');
  assert.match(fleet.device(ID).stateReason, /never quarantines/);
  for (let i = 0; i < 200; i += 1) anomaly(fleet, { source: `s${i % 20}` });
  fleet.advance(SECOND_US);
  const assessment = posteriorOdds.assess(fleet.device(ID), null, fleet.nowUs, begin(fleet.state));
  assert.deepEqual([fleet.device(ID).state, assessment.quarantine], ['SUSPECT', false]);
  assert.ok(fleet.device(ID).soft.length <= 8);
  assert.ok(
    explain(fleet.state, ID, fleet.nowUs)?.sentences.some((said) => said.includes('nothing asked for a decision')),
  );
  fleet.advance(8 * DAY_US);
  assert.equal(fleet.device(ID).state, 'HEALTHY');
});

test('what a whole job shows says nothing about one of its devices', () => {
  const fleet = watched();
  for (let day = 0; day < 6; day += 1) {
    for (let i = 1; i <= 50; i += 1) anomaly(fleet, { gpu: deviceIdOf(`n${i}`), job: `job-${day}`, jobGpus: 50 });
    fleet.advance(DAY_US);
  }
  assert.deepEqual(
    [...fleet.state.devices.values()].filter((device) => device.state !== 'HEALTHY'),
    [],
  );
  assert.ok(cusum(fleet) < 1);
});

test('a noisy source is learned, and then says little', () => {
  const [quiet, noisy] = [watched(), watched()];
  for (let day = 0; day < 30; day += 1) {
    for (let i = 2; i <= 50; i += 2) anomaly(noisy, { gpu: deviceIdOf(`n${i}`) });
    for (const fleet of [quiet, noisy]) fleet.advance(DAY_US);
  }
  anomaly(quiet);
  anomaly(noisy);
  assert.ok(cusum(noisy) < cusum(quiet) / 2, `${cusum(noisy)} ${cusum(quiet)}`);
});

test('an anomaly of a node names its device only if it has one; an unknown device is recorded and no more', () => {
  const fleet = watched(1);
  anomaly(fleet, { gpu: '' });
  assert.ok(cusum(fleet) > 0);
  assert.deepEqual(eventNames(anomaly(fleet, { gpu: 'CPU-unknown' })), ['anomaly']);
  assert.deepEqual(eventNames(anomaly(fleet, { gpu: '', node: 'n9' })), ['anomaly']);
});

test('several devices of a node share what speaks against them', () => {
  const ids = ['GPU-a', 'GPU-b', 'GPU-c', 'GPU-d'];
  const [one, four] = [watched(), watched()];
  for (const fleet of [one, four]) fleet.hello('n1', { devices: ids.map((id) => describe(id)) });
  anomaly(one, { gpu: 'GPU-a' });
  const effects = anomaly(four, { gpu: '', gpus: [...ids, 'GPU-elsewhere', deviceIdOf('n2')] });
  assert.equal(effects.outbox[0]?.gpu, '');
  const events = ids.map((id) => four.device(id).soft[0]?.events);
  assert.deepEqual(events, [0.25, 0.25, 0.25, 0.25]);
  assert.equal(four.state.fleet.soft.sources['monitor/entropy']?.events, 1);
  assert.deepEqual(four.device(deviceIdOf('n2')).soft, []);
  assert.ok(cusum(four, 'GPU-a') < cusum(one, 'GPU-a'));
});

test('what a monitor knows of the job is in the ledger, and a test build is marked', () => {
  const fleet = watched();
  const known = { severity: 'WARNING', rank: 3, step: 120, framework: 'pytorch 2.13.0 ddp', value: 9.5, limit: 4 };
  const [entry] = anomaly(fleet, { ...known, gpus: [ID], detail: 'far from the others', testBuild: true }).outbox;
  assert.deepEqual([entry?.gpu, entry?.injected, fleet.device(ID).soft], [ID, true, []], 'and is no soft evidence');
  const said = ['severity', 'rank', 'step', 'value', 'detail'].map((key) => entry?.detail[key]);
  assert.deepEqual(said, ['WARNING', 3, 120, '9.5', 'far from the others']);
});

test('what is for people alone speaks against nobody', () => {
  const fleet = watched();
  assert.deepEqual(eventNames(anomaly(fleet, { severity: 'INFO' })), ['anomaly']);
  assert.equal(cusum(fleet), 0);
});

test('what earlier releases recorded says the same as then', () => {
  const { detail } = anomaly(watched()).outbox[0] ?? {};
  const before = { event: 'anomaly', node: 'n1', source: 'monitor/entropy', type: 'ENTROPY_ANOMALY', job: '' };
  assert.deepEqual(detail, before);
});

test('jobs and sources are bounded', () => {
  const fleet = watched(2);
  for (let i = 0; i < 1200; i += 1) anomaly(fleet, { job: `j${i}`, jobGpus: 8, source: `s${i % 100}` });
  const { soft } = fleet.state.fleet;
  assert.ok(Object.keys(soft.jobs).length <= 1024);
  assert.ok(Object.keys(soft.sources).length <= 64);
  fleet.restart();
  assert.deepEqual(fleet.state.fleet.soft, soft);
});
