import assert from 'node:assert/strict';
import { test } from 'node:test';
import { posteriorOdds } from '../evidence/decision.js';
import { begin } from '../evidence/draft.js';
import type { Effects } from '../evidence/effects.js';
import { unitBeliefs } from '../evidence/posterior/beliefs.js';
import { MAX_CUSUM } from '../evidence/soft/cusum.js';
import { softCusum } from '../evidence/soft/soft.js';
import { explain } from '../explain/explain.js';
import { DAY_US, describe, deviceIdOf, eventNames, Fleet, SECOND_US } from './testing/fleet.js';

const ID = deviceIdOf('n1');

function watched(nodes = 50): Fleet {
  const fleet = new Fleet();
  for (let i = 1; i <= nodes; i += 1) fleet.hello(`n${i}`);
  return fleet;
}

function sample(
  fleet: Fleet,
  values: Record<string, number>,
  { node = 'n1', device = deviceIdOf(node) } = {},
): Effects {
  const timeUs = BigInt(fleet.nowUs);
  const samples = [{ deviceId: device, timeUs, values, texts: {}, partial: true }];
  return fleet.commit({ kind: 'telemetry', ...fleet.origin(node), samples });
}

function loud(fleet: Fleet, detail: string, node = 'n1'): Effects {
  const events = [{ event: 'loud_fault', timeUs: fleet.nowUs, deviceId: deviceIdOf(node), detail }];
  return fleet.commit({ kind: 'agent-events', ...fleet.origin(node), events });
}

const cusum = (fleet: Fleet, id = ID) => softCusum(begin(fleet.state), fleet.device(id), fleet.nowUs);
const corrected = (count: number) => ({ memory_corrected_errors: count });

test('a rise of corrected errors makes defects likelier to begin; the ledger is told once a day', () => {
  const fleet = watched();
  const onset = () =>
    unitBeliefs(begin(fleet.state), fleet.device(ID), fleet.nowUs)({ family: 1, sm: 1 }).onset.perHour;
  const before = onset();
  assert.deepEqual(eventNames(sample(fleet, corrected(3))), []);
  assert.equal(cusum(fleet), 0, 'what it had before it was watched says nothing');
  assert.deepEqual(eventNames(sample(fleet, corrected(4))), ['anomaly']);
  assert.deepEqual(eventNames(sample(fleet, corrected(5))), []);
  assert.ok(cusum(fleet) > 1);
  assert.ok(Math.abs(Math.log(onset() / before) - cusum(fleet)) < 1e-9);
  fleet.advance(DAY_US);
  assert.deepEqual(eventNames(sample(fleet, corrected(6))), ['anomaly']);
});

test('days of it make SUSPECT, in words, and never more; quiet days make it healthy again', () => {
  const fleet = watched();
  for (let day = 0; day < 8; day += 1) {
    sample(fleet, corrected(day));
    fleet.advance(DAY_US);
  }
  assert.equal(fleet.device(ID).state, 'SUSPECT');
  assert.match(fleet.device(ID).stateReason, /^Events of telemetry\/corrected-errors are far more frequent here/);
  const said = explain(fleet.state, ID, fleet.nowUs)?.sentences ?? [];
  assert.ok(
    said.some((sentence) => /^Soft evidence, which never quarantines, makes a defect \d+ times/.test(sentence)),
  );
  for (let i = 0; i < 300; i += 1)
    sample(fleet, { ...corrected(100 + i), clock_event_reasons: i % 2 === 0 ? 0 : 0x40 });
  assert.equal(fleet.device(ID).state, 'SUSPECT');
  assert.equal(cusum(fleet), MAX_CUSUM);
  assert.equal(posteriorOdds.assess(fleet.device(ID), null, fleet.nowUs, begin(fleet.state)).quarantine, false);
  fleet.advance(8 * DAY_US);
  assert.equal(fleet.device(ID).state, 'HEALTHY');
});

test('heat that slows all devices of a node says nothing about one of them', () => {
  const [all, one] = [new Fleet(), new Fleet()];
  const ids = Array.from({ length: 8 }, (_, i) => `GPU-${i}`);
  for (const fleet of [all, one]) {
    fleet.hello('n1', { devices: ids.map((id) => describe(id)) });
    // So many that the source stays a quiet one.
    for (let i = 2; i <= 400; i += 1) fleet.hello(`n${i}`);
  }
  for (let day = 0; day < 6; day += 1) {
    for (const clock_event_reasons of [0, 0x20]) {
      for (const device of ids) sample(all, { clock_event_reasons }, { node: 'n1', device });
      sample(one, { clock_event_reasons }, { node: 'n1', device: 'GPU-0' });
    }
    for (const fleet of [all, one]) fleet.advance(DAY_US);
  }
  assert.deepEqual(
    ids.map((id) => all.device(id).state),
    ids.map(() => 'HEALTHY'),
  );
  assert.equal(one.device('GPU-0').state, 'SUSPECT');
});

test('loud faults on several days make SUSPECT; those that programs cause, and those of a test build, are no evidence', () => {
  const fleet = watched();
  for (let day = 0; day < 6; day += 1) {
    loud(fleet, 'Xid 79 on GPU-1');
    loud(fleet, 'Xid 31 on GPU-1', 'n2');
    fleet.advance(DAY_US);
  }
  assert.deepEqual(
    ['n1', 'n2'].map((node) => [fleet.device(deviceIdOf(node)).state, cusum(fleet, deviceIdOf(node)) > 0]),
    [
      ['SUSPECT', true],
      ['HEALTHY', false],
    ],
  );
  fleet.hello('n3', { testBuild: true });
  for (let i = 0; i < 5; i += 1) {
    loud(fleet, 'Xid 79 on GPU-1', 'n3');
    sample(fleet, corrected(i), { node: 'n3' });
  }
  assert.deepEqual([fleet.device(deviceIdOf('n3')).soft, fleet.device(deviceIdOf('n3')).trends], [[], null]);
});

test('only of devices of the sender, and nothing else that it says changes anything', () => {
  const fleet = watched(2);
  const device = JSON.stringify(fleet.device(ID));
  sample(fleet, corrected(1), { node: 'n2', device: ID });
  sample(fleet, { temperature_c: 95, power_w: 300 });
  sample(fleet, corrected(1), { node: 'n1', device: 'GPU-unknown' });
  assert.equal(JSON.stringify(fleet.device(ID)), device);
});

test('what was seen survives a restart', () => {
  const fleet = watched(2);
  sample(fleet, corrected(1));
  fleet.restart();
  fleet.advance(SECOND_US);
  assert.deepEqual(eventNames(sample(fleet, corrected(2))), ['anomaly']);
});
