import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Replay } from '@sentinel/contracts/sentinel/v1/inference.js';
import { ReplicaSet } from '../testing/replica-set.js';
import { SHOWN_ROUNDS } from './judge/repeatability.js';

/** Calibrated, and agreed with each other. */
async function calibrated(...names: string[]): Promise<ReplicaSet> {
  const set = await ReplicaSet.start(names);
  await set.rounds(SHOWN_ROUNDS + 3);
  for (const { name, shown, replicas } of set.all) {
    assert.equal(shown.canary.phase, 'repeatable', name);
    assert.equal(replicas.about.configHash.length, 64);
  }
  return set;
}

const types = (set: ReplicaSet, name: string) =>
  set.of(name).accusations.map(({ type, severity, compared }) => [type, severity, compared !== undefined]);

test('three replicas: the one whose memory flipped is named once, by itself, and by no other', async (t) => {
  const set = await calibrated('a', 'b', 'c');
  t.after(() => set.stop());
  set.of('b').model.fault = 'memory';
  await set.rounds(6);
  assert.deepEqual(types(set, 'b'), [['CANARY_MISMATCH', 'CRITICAL', true]]);
  assert.deepEqual([types(set, 'a'), types(set, 'c')], [[], []]);
  const { answers = [] } = set.of('b').accusations[0]?.compared ?? {};
  assert.deepEqual(
    answers.slice(0, 2).map(({ gpu, again }) => [gpu, again]),
    [
      ['GPU-b', false],
      ['GPU-b', true],
    ],
  );
  assert.deepEqual([...new Set(answers.map(({ replica }) => replica))].sort(), ['a', 'b', 'c']);
  set.of('b').model.fault = 'none';
  await set.rounds(2);
  assert.equal(set.of('b').findings.at(-1)?.severity, 'INFO');
});

test('a replica with a library in its server and those without one are compared', async (t) => {
  const set = await ReplicaSet.start(['a', 'b', 'c']);
  t.after(() => set.stop());
  set.of('b').libraryHash = 'ab'.repeat(32);
  await set.rounds(SHOWN_ROUNDS + 3);
  set.of('b').model.fault = 'memory';
  await set.rounds(6);
  assert.deepEqual(types(set, 'b'), [['CANARY_MISMATCH', 'CRITICAL', true]]);
  assert.deepEqual([types(set, 'a'), types(set, 'c')], [[], []]);
});

test('a fault that comes and goes is named, and is no reason to trust bits less', async (t) => {
  const set = await calibrated('a', 'b', 'c');
  t.after(() => set.stop());
  set.of('b').model.fault = 'wavers';
  await set.rounds(9);
  assert.ok(types(set, 'b').length >= 2);
  assert.ok(types(set, 'b').every(([, severity, hard]) => severity === 'CRITICAL' && hard));
  assert.deepEqual([types(set, 'a'), types(set, 'c')], [[], []]);
  assert.equal(set.of('b').shown.canary.phase, 'repeatable');
});

test('replicas that round otherwise each time accuse nobody by bits, and nobody softly', async (t) => {
  const set = await ReplicaSet.start(['a', 'b', 'c']);
  t.after(() => set.stop());
  for (const { model } of set.all) model.fault = 'rounds';
  await set.rounds(30);
  for (const { name, shown } of set.all) assert.deepEqual([shown.canary.phase, types(set, name)], ['varies', []]);
});

test('where bits are not wanted they accuse nobody', async (t) => {
  const set = await ReplicaSet.start(['a', 'b', 'c'], { hard: 'never' });
  t.after(() => set.stop());
  await set.rounds(SHOWN_ROUNDS + 2);
  set.of('b').model.fault = 'memory';
  await set.rounds(4);
  for (const { name } of set.all) assert.deepEqual(types(set, name), []);
});

test('two replicas: soft evidence against the one that changed; a third that appears breaks the tie', async (t) => {
  const set = await calibrated('a', 'b', 'c');
  t.after(() => set.stop());
  await set.of('c').end();
  set.of('b').model.fault = 'memory';
  await set.rounds(2);
  assert.ok(types(set, 'b').length > 0);
  assert.ok(
    types(set, 'b').every(([type, severity, hard]) => type === 'CANARY_MISMATCH' && severity === 'HIGH' && !hard),
  );
  assert.deepEqual(types(set, 'a'), []);
  assert.ok(set.of('a').outcomes.includes('away'));
});

test('a replica alone is held against its own answers, after a restart of its monitor too', async (t) => {
  const set = await ReplicaSet.start(['a']);
  t.after(() => set.stop());
  await set.rounds(SHOWN_ROUNDS + 10);
  const [a] = set.all;
  assert.deepEqual(a?.accusations, []);
  const again = await import('./shown-file.js');
  const kept = new again.ShownFile(a?.shownFile ?? '');
  kept.use(a?.replicas.about.configHash ?? '');
  assert.deepEqual(kept.canary.shown, a?.shown.canary.shown);
  set.of('a').model.fault = 'memory';
  await set.rounds(1);
  assert.deepEqual(types(set, 'a'), [['CANARY_MISMATCH', 'CRITICAL', false]]);
});

test('a server that was started with other weights under the same name is not accused by bits', async (t) => {
  const set = await calibrated('a', 'b', 'c');
  t.after(() => set.stop());
  const { model } = set.of('b');
  await model.stop();
  await set.rounds(1);
  assert.ok(set.of('b').skipped.some(([kind]) => kind === 'canary'));
  model.revision = 1;
  await model.start();
  await set.rounds(3);
  assert.ok(types(set, 'b').length > 0);
  assert.ok(types(set, 'b').every(([, severity, hard]) => severity === 'WARNING' && !hard));
  for (const name of ['a', 'c']) set.of(name).model.revision = 1;
  set.of('b').findings.length = 0;
  await set.rounds(10);
  for (const { name } of set.all) assert.deepEqual(types(set, name), []);
});

test('an update that replaces one replica after the other accuses none by bits, neither the first nor the last', async (t) => {
  const set = await calibrated('a', 'b', 'c');
  t.after(() => set.stop());
  for (const name of ['a', 'b', 'c']) {
    const { model } = set.of(name);
    await model.stop();
    await set.rounds(1);
    model.revision = 1;
    await model.start();
    await set.rounds(4);
  }
  for (const { name } of set.all)
    assert.ok(
      types(set, name).every(([, , hard]) => hard === false),
      name,
    );
  set.of('b').model.fault = 'memory';
  await set.rounds(2);
  assert.deepEqual(types(set, 'b').at(-1), ['CANARY_MISMATCH', 'CRITICAL', true], 'they have agreed since');
});

test('requests of users are computed again, and a replica that does not get what others get is named', async (t) => {
  const set = await calibrated('a', 'b', 'c');
  t.after(() => set.stop());
  const offer = () => {
    for (const { replicas } of set.all)
      replicas.sampled({ blocks: [], model: '' }, Replay.fromPartial({ prompt: [1, 2, 3, 4], completion: [5, 6, 7] }));
  };
  for (let i = 0; i < SHOWN_ROUNDS + 2; i += 1) {
    offer();
    await set.rounds(1);
  }
  assert.equal(set.of('b').shown.replay.phase, 'repeatable');
  set.of('b').model.fault = 'memory';
  const { canary } = set.of('b').shown;
  canary.withdraw(set.nowMs * 1000);
  offer();
  await set.rounds(1);
  assert.deepEqual(types(set, 'b'), [['REPLAY_MISMATCH', 'CRITICAL', true]]);
  assert.deepEqual([types(set, 'a'), types(set, 'c')], [[], []]);
});

test('what an adapter answered is not computed again by the model without it', async (t) => {
  const set = await calibrated('a', 'b');
  t.after(() => set.stop());
  const { replicas, shown } = set.of('a');
  const replay = Replay.fromPartial({ prompt: [1, 2, 3, 4], completion: [5, 6, 7] });
  for (let i = 0; i < SHOWN_ROUNDS + 2; i += 1) {
    replicas.sampled({ blocks: [], model: 'adapter' }, replay);
    await set.rounds(1);
  }
  assert.equal(shown.replay.phase, 'learning');
  for (let i = 0; i < SHOWN_ROUNDS + 2; i += 1) {
    replicas.sampled({ blocks: [], model: 'tiny' }, replay);
    await set.rounds(1);
  }
  assert.equal(shown.replay.phase, 'repeatable');
});

test('checksums of weights name the worker; proven equal, a replica that loses computes wrongly', async (t) => {
  const set = await calibrated('a', 'b', 'c');
  t.after(() => set.stop());
  const weigh = (name: string, digest: string) =>
    set.of(name).replicas.weights({
      ...{ timeUs: set.nowMs * 1000 + 1, algorithm: 'sum64', reloaded: false },
      shards: [{ worker: 0, digest, expected: '', differing: [] }],
    });
  const all = async (digests: readonly string[]) => {
    for (const [i, name] of ['a', 'b', 'c'].entries()) weigh(name, digests[i] ?? '');
    await set.rounds(1);
  };
  await all(['aa', 'aa', 'aa'].map((digest) => digest.repeat(16)));
  await all(['aa', 'bb', 'aa'].map((digest) => digest.repeat(16)));
  assert.deepEqual(types(set, 'b'), [['REPLICA_MISMATCH', 'CRITICAL', true]]);
  assert.deepEqual([types(set, 'a'), types(set, 'c')], [[], []]);
  await all(['aa', 'aa', 'aa'].map((digest) => digest.repeat(16)));
  set.of('b').findings.length = 0;
  set.of('b').model.fault = 'memory';
  await set.rounds(1);
  await all(['aa', 'aa', 'aa'].map((digest) => digest.repeat(16)));
  await set.rounds(1);
  const proven = set.of('b').accusations.map(({ compared }) => compared?.stateEqual);
  assert.deepEqual([proven[0], proven.at(-1)], [false, true]);
});

test('comparisons stay within their share of the requests, and say so', async (t) => {
  const set = await calibrated('a', 'b', 'c');
  t.after(() => set.stop());
  const before = set.of('a').model.answered;
  await set.rounds(20);
  const perMinute = (set.of('a').model.answered - before) / 20;
  assert.ok(perMinute <= 3.5, `${perMinute} questions a minute for three replicas`);
});
