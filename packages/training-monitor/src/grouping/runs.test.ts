import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../analysers/finding.js';
import { shippedLimits } from '../bench/support/limits.js';
import { senderOf } from '../testing/job.js';
import type { Sender, StoredCheckpoint, TrainingRecord } from './record.js';
import { MAX_PLACES, MAX_RUNS, Runs } from './runs.js';
import { GRACE_MS } from './step-book.js';

const OVER_MS = 10 * 60_000;

function site() {
  const found: { job: Sender; finding: Finding }[] = [];
  const stored: StoredCheckpoint[] = [];
  const runs = new Runs({
    thresholds: shippedLimits(),
    onFinding: (job, finding) => found.push({ job, finding }),
    onStored: (_, one) => stored.push(one),
  });
  return { runs, found, stored, ranks: () => found.map(({ finding }) => finding.ranks) };
}

const replicas = (step: number, checksums: readonly string[]): TrainingRecord => ({
  kind: 'replicas',
  moment: { step, timeUs: step },
  held: { checksums, blocks: [] },
});
const BAD = ['aa', 'aa', 'bb', 'aa'];

test('a round is judged once all ranks that are there have told of it', () => {
  const { runs, ranks } = site();
  const members = [0, 1, 2, 3].map((rank) => runs.join(senderOf(4, rank)));
  for (const member of members.slice(0, 3)) member.take(replicas(1, BAD), 0);
  assert.deepEqual(ranks(), []);
  members[3]?.take(replicas(1, BAD), 1);
  assert.deepEqual(ranks(), [[2]]);
});

test('a rank that leaves is not waited for; one that is silent for 5 s neither', () => {
  const { runs, ranks } = site();
  const members = [0, 1, 2].map((rank) => runs.join(senderOf(4, rank)));
  members[0]?.take(replicas(1, BAD), 0);
  members[1]?.take(replicas(1, BAD), 0);
  members[2]?.leave(1);
  assert.deepEqual(ranks(), [[2]]);
  members[0]?.take(replicas(2, ['aa', 'cc', 'bb', 'aa']), 10);
  runs.tick(9 + GRACE_MS);
  assert.equal(ranks().length, 1);
  runs.tick(10 + GRACE_MS);
  assert.equal(ranks().length, 2);
});

test('ranks that join later belong to the same run; a resumed job is a run of its own', () => {
  const { runs } = site();
  runs.join(senderOf(4, 0));
  runs.join(senderOf(4, 1));
  assert.deepEqual([runs.size, runs.ranks], [1, 2]);
  const resumed = runs.join(senderOf(4, 0, { runId: 'second' }));
  assert.deepEqual([runs.size, runs.ranks], [2, 3]);
  resumed.leave(0);
  runs.tick(OVER_MS - 1);
  assert.equal(runs.size, 2);
  runs.tick(OVER_MS);
  assert.equal(runs.size, 1);
});

test('the same steps of two runs are not mixed', () => {
  const { runs, found } = site();
  const first = [0, 1, 2].map((rank) => runs.join(senderOf(3, rank)));
  const second = [0, 1, 2].map((rank) => runs.join(senderOf(3, rank, { jobId: 'other' })));
  for (const member of first) member.take(replicas(1, ['aa', 'aa', 'aa']), 0);
  for (const member of second) member.take(replicas(1, ['bb', 'bb', 'aa']), 0);
  assert.deepEqual(
    found.map(({ job, finding }) => [job.jobId, finding.ranks]),
    [['other', [2]]],
  );
});

test('runs are bounded: one without ranks makes room, else the newcomer is refused', () => {
  const { runs } = site();
  const members = Array.from({ length: MAX_RUNS }, (_, k) => runs.join(senderOf(1, 0, { runId: `${k}` })));
  assert.throws(() => runs.join(senderOf(1, 0, { runId: 'one more' })), { code: 'RESOURCE_EXHAUSTED' });
  members[7]?.leave(5);
  runs.join(senderOf(1, 0, { runId: 'one more' }));
  assert.equal(runs.size, MAX_RUNS);
});

test('a run keeps its number of ranks', () => {
  const { runs } = site();
  runs.join(senderOf(4, 0));
  assert.throws(() => runs.join(senderOf(3, 1)), { code: 'INVALID_ARGUMENT', field: 'hello.ranks' });
});

test('a copy that is wrong about others is counted and accuses nobody', () => {
  const { runs, ranks } = site();
  const members = [0, 1, 2].map((rank) => runs.join(senderOf(3, rank)));
  members[0]?.take(replicas(1, ['aa', 'aa', 'aa']), 0);
  members[1]?.take(replicas(1, ['dd', 'aa', 'dd']), 0);
  members[2]?.take(replicas(1, ['aa', 'aa', 'aa']), 0);
  assert.deepEqual(ranks(), []);
  assert.equal(runs.counts.disagreeing, 1);
});

test('each rank of a run is told once that a replay is wanted, after a tie and not after a vote', () => {
  const { runs } = site();
  const members = [0, 1, 2, 3].map((rank) => runs.join(senderOf(4, rank)));
  for (const member of members) member.take(replicas(1, BAD), 0);
  assert.deepEqual(
    members.map((member) => member.wantsReplay()),
    [false, false, false, false],
  );
  const tied = site().runs;
  const pair = [0, 1].map((rank) => tied.join(senderOf(2, rank)));
  for (const member of pair) member.take(replicas(1, ['aa', 'bb']), 0);
  assert.deepEqual(
    pair.map((member) => [member.wantsReplay(), member.wantsReplay()]),
    [
      [true, false],
      [true, false],
    ],
  );
});

test('ranks of a run share what is kept of their places; all of a node are bounded', () => {
  const { runs } = site();
  const size = MAX_PLACES / 4;
  const members = [0, 1].map((rank) => runs.join(senderOf(size, rank)));
  assert.equal(members[0]?.sender.places, members[1]?.sender.places);
  const others = ['b', 'c', 'd'].map((runId) => runs.join(senderOf(size, 0, { runId })));
  const refused = { code: 'RESOURCE_EXHAUSTED', message: /more than 131072 ranks/ };
  assert.throws(() => runs.join(senderOf(1, 0, { runId: 'e' })), refused);
  const elsewhere = { places: senderOf(size).places.map((place) => ({ ...place, node: 'another' })) };
  assert.throws(() => runs.join(senderOf(size, 2, elsewhere)), refused);
  others[1]?.leave(0);
  const small = runs.join(senderOf(1, 0, { runId: 'e' }));
  assert.deepEqual([runs.size, small.sender.places.length], [4, 1]);
});

const checkpoint = (
  rank: number,
  report: { event: 'saved' | 'loaded'; digest?: string; expected?: string; subject?: string },
): TrainingRecord => ({
  ...{ kind: 'checkpoint', moment: { step: 9, timeUs: 7 }, digested: { algorithm: 'sha256', tensors: 5 + rank } },
  report: {
    ...{ rank, path: '/c/9', digest: `a${rank}`, subject: '', expected: '', bytes: 64, differing: [] },
    ...report,
  },
});

function told(...reports: readonly Parameters<typeof checkpoint>[1][]) {
  const { runs, stored, found } = site();
  const members = reports.map((_, rank) => runs.join(senderOf(reports.length, rank)));
  for (const [rank, member] of members.entries()) member.take(checkpoint(rank, reports[rank] ?? { event: 'saved' }), 0);
  return { stored, found };
}

test('a checkpoint that the ranks of a node saved is told once, with the digest of each', () => {
  const saved = { event: 'saved', subject: '5a' } as const;
  const { stored } = told(saved, saved);
  const parts = [0, 1].map((rank) => ({ rank, digest: `a${rank}`, subject: '5a', tensors: 5 + rank, bytes: 64 }));
  assert.deepEqual(stored, [{ event: 'saved', path: '/c/9', algorithm: 'sha256', step: 9, timeUs: 7, parts }]);
});

test('one that was loaded is told where it can be held against what was saved, and nothing was said of it yet', () => {
  const loaded = { event: 'loaded', digest: 'aa', subject: '5a' } as const;
  const { stored } = told(loaded, { ...loaded, subject: '' });
  assert.deepEqual(
    stored.map(({ event, parts }) => [event, ...parts.map(({ rank }) => rank)]),
    [['loaded', 0]],
  );
  assert.equal(told({ ...loaded, expected: 'aa' }, loaded).stored.length, 1);
  assert.deepEqual(told({ event: 'loaded' }, { event: 'loaded' }).stored, []);
  const damaged = told({ ...loaded, expected: 'bb' }, loaded);
  assert.deepEqual([damaged.stored.length, damaged.found.length], [0, 1]);
});

test('nor is a rank told of that loads what the others do not', () => {
  const loaded = { event: 'loaded', digest: 'aa', subject: '5a' } as const;
  const { stored, found } = told(loaded, loaded, loaded, { ...loaded, digest: 'bb' });
  assert.deepEqual(
    found.map(({ finding }) => finding.ranks),
    [[3]],
  );
  assert.deepEqual(
    stored.map(({ parts }) => parts.map(({ rank }) => rank)),
    [[0, 1, 2]],
  );
});
