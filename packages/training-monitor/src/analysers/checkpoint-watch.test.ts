import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Checkpoint, CheckpointWatch } from './checkpoint-watch.js';

const LIMITS = { maxSizeChange: 0.01, crossRank: true, minConsensus: 0 };
const MOMENT = { step: 7, timeUs: 7 };

function loaded(rank: number, digest: string, expected = 'aa', differing: Partial<Checkpoint> = {}): Checkpoint {
  const base = { group: 1, event: 'loaded', path: '/c.pt', subject: '', bytes: 100, differing: [] } as const;
  return { ...base, rank, digest, expected, ...differing };
}

test('a rank that alone finds a file changed is named', () => {
  const watch = new CheckpointWatch();
  const [found] = watch.round(
    [loaded(0, 'aa'), loaded(1, 'bb', 'aa', { differing: ['w'] }), loaded(2, 'aa')],
    LIMITS,
    MOMENT,
  );
  assert.deepEqual(found?.ranks, [1]);
  assert.equal(found?.compared?.answers.length, 3);
  assert.match(found?.detail ?? '', /\/c\.pt is not what its manifest says \(w\), by 1 of 3 ranks/);
});

test("a file that all find changed is nobody's", () => {
  const watch = new CheckpointWatch();
  for (const reports of [[loaded(0, 'bb'), loaded(1, 'bb')], [loaded(0, 'bb')]]) {
    const [found, ...more] = watch.round(reports, LIMITS, MOMENT);
    assert.deepEqual([found?.ranks, found?.compared, more.length], [[], undefined, 0]);
  }
});

test('replicas that save different things are compared, unless that is turned off', () => {
  const saved = (rank: number, digest: string) => loaded(rank, digest, '', { event: 'saved', path: `/${rank}.pt` });
  const reports = [saved(0, 'aa'), saved(1, 'aa'), saved(2, 'cc')];
  const [found] = new CheckpointWatch().round(reports, LIMITS, MOMENT);
  assert.deepEqual(found?.ranks, [2]);
  assert.deepEqual(new CheckpointWatch().round(reports, { ...LIMITS, crossRank: false }, MOMENT), []);
  const shards = reports.map((report) => ({ ...report, group: 0 }));
  assert.deepEqual(new CheckpointWatch().round(shards, LIMITS, MOMENT), []);
});

test('digests of different subjects are not compared: each rank may have written other tensors of one name', () => {
  const saved = (rank: number, digest: string, subject: string) =>
    loaded(rank, digest, '', { event: 'saved', path: '/folder', subject });
  const round = (subjects: readonly string[]) =>
    new CheckpointWatch().round(
      subjects.map((subject, rank) => saved(rank, rank === 2 ? 'cc' : 'aa', subject)),
      LIMITS,
      MOMENT,
    );
  assert.deepEqual(round(['01', '01', '02']), []);
  assert.deepEqual(
    round(['01', '01', '01']).map(({ ranks }) => ranks),
    [[2]],
  );
});

test('a size that jumps is worth a word', () => {
  const watch = new CheckpointWatch();
  const saved = (bytes: number) => loaded(0, 'aa', '', { event: 'saved', bytes });
  assert.deepEqual(watch.round([saved(1_000)], LIMITS, MOMENT), []);
  assert.deepEqual(watch.round([saved(1_005)], LIMITS, MOMENT), []);
  const [found] = watch.round([saved(500)], LIMITS, MOMENT);
  assert.deepEqual([found?.detector, found?.severity], ['checkpoint-size', 'INFO']);
});
