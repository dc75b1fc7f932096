import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoredCheckpointRecord, StoredPart } from '../evidence/job-record.js';
import { KEPT_US, MOST_PARTS, MOST_ROWS } from '../evidence/saved-digests.js';
import { MOST_TOLD } from './tell-job-events.js';
import { DAY_US, deviceIdOf, Fleet } from './testing/fleet.js';

const PATH = '/checkpoints/9.pt';

class Job {
  readonly fleet = new Fleet();
  #sequence = 0;

  constructor(...nodes: readonly string[]) {
    for (const node of nodes) this.fleet.hello(node);
  }

  saved(parts: readonly Partial<StoredPart>[], more: Partial<StoredCheckpointRecord> = {}) {
    return this.#commit('saved', parts, more);
  }

  loaded(parts: readonly Partial<StoredPart>[], more: Partial<StoredCheckpointRecord> = {}) {
    return this.#commit('loaded', parts, more);
  }

  #commit(
    kind: StoredCheckpointRecord['kind'],
    parts: readonly Partial<StoredPart>[],
    { node = 'n1', ...more }: Partial<StoredCheckpointRecord>,
  ) {
    this.#sequence += 1;
    const event: StoredCheckpointRecord = {
      ...{ kind, node, source: 'training-monitor/checkpoint', timeUs: this.fleet.nowUs, job: 'job-1', path: PATH },
      ...{ rank: 0, step: 40, algorithm: 'sha256', moreParts: 0, buildId: 'monitor-1', testBuild: false },
      parts: parts.map((part, rank) => ({ ...{ rank, digest: 'aa', subject: '5a', tensors: 2, bytes: 8 }, ...part })),
      ...more,
    };
    const of = { node, spoolId: '00'.repeat(16), sequence: this.#sequence, buildId: 'monitor-1', testBuild: false };
    const { outbox, comparisons } = this.fleet.commit({
      ...{ kind: 'monitor-report', ...of, createdUs: this.fleet.nowUs },
      events: [event],
    });
    return { told: outbox.map(({ detail }) => detail), outbox, outcomes: comparisons.map(({ outcome }) => outcome) };
  }
}

test('a loaded checkpoint that is not what the job saved is told, and no device is accused', () => {
  const job = new Job('n1', 'n2');
  job.saved([{ rank: 3 }]);
  const before = structuredClone(job.fleet.device(deviceIdOf('n2')));
  const { outbox, outcomes } = job.loaded([{ digest: 'bb' }, {}], { node: 'n2', step: 0 });
  const [event, ...more] = outbox;
  assert.deepEqual([event?.type, event?.gpu, more.length, outcomes], ['ANOMALY', '', 0, ['NOT_AS_SAVED']]);
  assert.deepEqual(event?.detail, {
    ...{ event: 'anomaly', node: 'n2', source: 'training-monitor/checkpoint', type: 'CHECKPOINT_DIVERGENCE' },
    ...{ job: 'job-1', gpus: [], severity: 'CRITICAL', rank: 0, step: 0, path: PATH, algorithm: 'sha256' },
    parts: [
      { rank: 0, digest: 'bb', subject: '5a', saved_digest: 'aa', saved_job: 'job-1', saved_rank: 3, saved_step: 40 },
    ],
    detail: `Checkpoint ${PATH} is not what rank 3 saved in step 40: the ledger has another digest, by 1 of 2 ranks that loaded it`,
    build_id: 'monitor-1',
  });
  assert.deepEqual(job.fleet.device(deviceIdOf('n2')), before);
});

const harmless: readonly (readonly [string, Partial<StoredPart>, Partial<StoredCheckpointRecord>])[] = [
  ['is what was saved', { digest: 'aa' }, {}],
  ['was written over', { subject: '5b', digest: 'bb' }, {}],
  ['cannot be compared', { digest: 'bb', subject: undefined as never }, {}],
  ['another rank saved so', { digest: 'cc' }, {}],
];
for (const [why, part, more] of harmless)
  test(`nothing is told of a checkpoint that ${why}`, () => {
    const job = new Job('n1', 'n2');
    job.saved([{}, { digest: 'cc' }]);
    assert.deepEqual(job.loaded([part], { node: 'n2', ...more }), { told: [], outbox: [], outcomes: [] });
  });

test('a job that is started again under another name, or another job, is told what was saved by whom', () => {
  const job = new Job('n1');
  job.saved([{ rank: 3 }]);
  job.saved([{ digest: 'cc' }], { job: 'job-2', step: 8 });
  const told = (more: Partial<StoredCheckpointRecord>) => job.loaded([{ digest: 'bb' }], more).told[0]?.['detail'];
  assert.match(String(told({ job: 'job-3' })), /is not what rank 3 of job job-1 saved in step 40:/);
  assert.match(String(told({ job: 'job-2' })), /is not what rank 0 saved in step 8:/);
  assert.deepEqual(job.loaded([{ digest: 'aa' }], { job: 'job-2' }).told, []);
});

test('nothing is remembered of what a test build, or a library of before, saved', () => {
  const job = new Job('n1');
  job.saved([{}], { testBuild: true });
  job.saved([{ subject: undefined as never }]);
  assert.equal(job.fleet.state.saved.size, 0);
});

test('a job that loads it again and again does not fill the ledger', () => {
  const job = new Job('n1');
  job.saved([{}]);
  const told = Array.from({ length: MOST_TOLD + 3 }, () => job.loaded([{ digest: 'bb' }]).told.length);
  assert.equal(told.filter(Boolean).length, MOST_TOLD);
  job.fleet.advance(3_600_000_000);
  assert.equal(job.loaded([{ digest: 'bb' }]).told[0]?.['untold_before'], 3);
});

test('what is remembered is bounded, by number and by age', () => {
  const job = new Job('n1');
  const subjects = (from: number) => Array.from({ length: 64 }, (_, at) => ({ subject: String(from + at) }));
  for (let from = 0; from <= MOST_PARTS; from += 64) job.saved(subjects(from));
  const [row] = job.fleet.state.saved.values();
  assert.equal(row?.parts.length, MOST_PARTS);
  assert.deepEqual(job.loaded([{ subject: '0', digest: 'bb' }]).told, []);
  assert.equal(job.loaded([{ subject: '64', digest: 'bb' }]).told.length, 1);
  for (let other = 0; other < MOST_ROWS; other += 1) job.saved([{}], { job: `other-${other}` });
  assert.equal(job.fleet.state.saved.size, MOST_ROWS);
  assert.equal(
    [...job.fleet.state.saved.values()].some(({ job: of }) => of === 'job-1'),
    false,
  );
  job.fleet.advance(KEPT_US + DAY_US);
  job.saved([{}], { job: 'new' });
  assert.equal(job.fleet.state.saved.size, 1);
  assert.deepEqual([...job.fleet.state.savedSubjects], [['5a', new Set(['n1\nnew'])]]);
});
