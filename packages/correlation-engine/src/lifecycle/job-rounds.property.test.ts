import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { JOB } from '../evidence/families.js';
import type { ComparisonRecord } from '../evidence/job-record.js';
import { deviceIdOf, Fleet, SECOND_US } from './testing/fleet.js';

const NODES = ['n1', 'n2', 'n3', 'n4'];
const ID = deviceIdOf('n1');

const report = fc.record({
  type: fc.constantFrom('REPLICA_MISMATCH', 'REPLAY_MISMATCH', 'CHECKPOINT_DIVERGENCE', 'CANARY_MISMATCH'),
  job: fc.constantFrom('a', 'b'),
  step: fc.nat(5),
  agreedBefore: fc.constantFrom(0, 0, 3),
  asked: fc.boolean(),
  stateEqual: fc.boolean(),
  wrong: fc.constantFrom('bb', 'cc', 'dd'),
  /** Seconds after the one before. */
  after: fc.constantFrom(0, 1, 60),
});
type Report = typeof report extends fc.Arbitrary<infer T> ? T : never;

function recordOf(fleet: Fleet, { type, job, step, agreedBefore, asked, stateEqual, wrong }: Report): ComparisonRecord {
  return {
    ...{ kind: 'comparison', node: 'n1', gpus: [ID], source: 'training-monitor/test', type, timeUs: fleet.nowUs },
    ...{ job, jobGpus: 4, rank: 0, step, agreedBefore, asked, stateEqual, buildId: 'b', testBuild: false },
    answers: NODES.map((node, rank) => ({
      ...{ node, gpu: deviceIdOf(node), rank, again: false, digest: rank === 0 ? wrong : 'aa' },
    })),
  };
}

function played(reports: readonly Report[], times: number): Fleet {
  const fleet = new Fleet();
  for (const node of NODES) fleet.hello(node);
  for (const told of reports) {
    fleet.nowUs += told.after * SECOND_US;
    const record = recordOf(fleet, told);
    for (let i = 0; i < times; i += 1) fleet.commit({ ...record, source: `monitor-${i}` });
  }
  return fleet;
}

const unitOf = (fleet: Fleet) => fleet.device(ID).units.find(({ family }) => family === JOB);

test('however often a round is told of, the device is accused as if it were once', () => {
  fc.assert(
    fc.property(fc.array(report, { maxLength: 12 }), fc.integer({ min: 2, max: 4 }), (reports, times) => {
      const [once, often] = [played(reports, 1), played(reports, times)];
      assert.deepEqual(unitOf(often), unitOf(once));
      assert.equal(often.device(ID).state, once.device(ID).state);
    }),
  );
});

test('no more is counted than there are rounds, and no answer without a first', () => {
  fc.assert(
    fc.property(fc.array(report, { maxLength: 12 }), (reports) => {
      const unit = unitOf(played(reports, 1));
      const rounds = new Set(reports.map(({ type, job, step }) => `${type} ${job} ${step}`));
      assert.ok((unit?.counted ?? 0) <= rounds.size);
      assert.ok((unit?.answers ?? 0) <= Math.max(0, (unit?.counted ?? 0) - 1));
    }),
  );
});

test('soft evidence and lost votes of others never quarantine', () => {
  fc.assert(
    fc.property(fc.array(report, { maxLength: 12 }), (reports) => {
      const fleet = played([], 1);
      for (const told of reports) {
        fleet.nowUs += told.after * SECOND_US;
        fleet.commit({ ...recordOf(fleet, told), gpus: [deviceIdOf('n2')], node: 'n2' });
        fleet.commit({
          ...{ kind: 'anomaly', node: 'n2', gpu: '', gpus: [deviceIdOf('n2')], source: 's', type: told.type },
          ...{ timeUs: fleet.nowUs, job: told.job, jobGpus: 4 },
        });
      }
      fleet.advance(3600 * SECOND_US);
      for (const device of fleet.state.devices.values())
        assert.ok(device.state === 'HEALTHY' || device.state === 'SUSPECT');
      assert.deepEqual(fleet.device(deviceIdOf('n2')).units, []);
    }),
  );
});
