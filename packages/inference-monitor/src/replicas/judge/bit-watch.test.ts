import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BitWatch, type Round } from './bit-watch.js';
import { Repeatability, SHOWN_ROUNDS } from './repeatability.js';
import { Standing } from './standing.js';
import type { Said } from './vote.js';

const said = (replica: string, digest: string, differing: Partial<Said> = {}): Said => ({
  ...{ replica, node: `node-${replica}`, gpus: [`GPU-${replica}`], digest, again: false },
  ...{ repeatable: true, contradictions: 0, sinceUs: 1, weights: '' },
  ...differing,
});

function watch(agreed = 3) {
  const standing = new Standing();
  const repeatability = new Repeatability();
  for (let i = 0; i < SHOWN_ROUNDS; i += 1) repeatability.round('p', ['x', 'x'], 1);
  const made = new BitWatch('canary', standing, repeatability);
  const round = (answers: Said[], differing: Partial<Round> = {}) =>
    made.judge({
      own: 'a',
      answers,
      reference: 'x',
      asked: false,
      subject: '',
      isPure: true,
      weightsUs: 0,
      timeUs: 1000,
      ...differing,
    });
  for (let i = 0; i < agreed; i += 1) round([said('a', 'x'), said('b', 'x'), said('c', 'x')]);
  return { round, repeatability, standing };
}

/** Differences of a model that is not pure that are told, and more. */
const MANY = 10;
const LOST = [said('a', 'y'), said('b', 'x'), said('c', 'x'), said('a', 'y', { again: true })];

test('a replica that most others outvote tells so of itself, with every answer', () => {
  const [finding, ...more] = watch().round(LOST);
  assert.deepEqual(more, []);
  assert.deepEqual([finding?.type, finding?.severity, finding?.workers], ['CANARY_MISMATCH', 'CRITICAL', 'all']);
  assert.match(finding?.detail ?? '', /^Replica a answers to a canary otherwise than 2 others: it repeats that/);
  const { answers = [], ...others } = finding?.compared ?? {};
  assert.deepEqual(others, { agreedBefore: 3, asked: false, stateEqual: false });
  assert.deepEqual(
    answers.map(({ gpu, digest, again }) => [gpu, digest, again]),
    [
      ['GPU-a', 'y', false],
      ['GPU-a', 'y', true],
      ['GPU-b', 'x', false],
      ['GPU-c', 'x', false],
    ],
  );
});

test('of a model that may read other data than others bits are soft, told once until it agrees, and in the end no more', () => {
  const { round, standing } = watch();
  const isPure = false;
  const agree = () => round([said('a', 'x'), said('b', 'x'), said('c', 'x')], { isPure });
  const told = Array.from({ length: 9 }, () => {
    const findings = round(LOST, { isPure });
    assert.deepEqual(round(LOST, { isPure }), [], 'the same once more');
    assert.deepEqual(agree(), []);
    return findings.map(({ severity, compared }) => [severity, compared]);
  });
  assert.deepEqual(told.slice(0, 6), Array(6).fill([['HIGH', undefined]]));
  assert.deepEqual(told.slice(6), [[['INFO', undefined]], [], []]);
  assert.equal(standing.lostSinceUs, null, 'no comparison was lost');
  const wavering = [said('a', 'y'), said('b', 'x'), said('c', 'x'), said('a', 'x', { again: true })];
  assert.deepEqual(watch().round(wavering, { isPure }), [], 'a model that draws now and then');
  assert.deepEqual(watch().round([said('a', 'y'), said('a', 'z'), said('b', 'x')], { isPure }), []);
});

test('what another lost is told by its own monitor', () => {
  assert.deepEqual(watch().round([said('a', 'x'), said('b', 'y'), said('c', 'x')]), []);
});

test('a fault that stays is told once, until it agreed again', () => {
  const { round } = watch();
  assert.equal(round(LOST).length, 1);
  assert.deepEqual(round(LOST), []);
  const [again] = round([said('a', 'x'), said('b', 'x'), said('c', 'x')]);
  assert.deepEqual([again?.severity, again?.compared?.agreedBefore], ['INFO', 1]);
  assert.equal(round(LOST)[0]?.compared?.agreedBefore, 1);
});

test('a fault that stays and could not be told is told by the next round, as the first', () => {
  const { round } = watch();
  const [untold] = round(LOST);
  untold?.onUntold?.();
  const [told, ...more] = round(LOST);
  assert.deepEqual([told?.severity, told?.compared?.agreedBefore, more], ['CRITICAL', 3, []]);
  assert.deepEqual(round(LOST), []);
});

test('a fault that comes and goes is told each time', () => {
  const { round } = watch();
  const wavering = [said('a', 'y'), said('b', 'x'), said('c', 'x'), said('a', 'x', { again: true })];
  for (let i = 0; i < 2; i += 1) assert.match(round(wavering)[0]?.detail ?? '', /the fault comes and goes/);
});

test('weights that were proven equal after it lost make the next loss news: it computes wrongly', () => {
  const { round } = watch();
  const weighed = LOST.map((answer) => ({ ...answer, weights: 'ww' }));
  assert.equal(round(weighed, { weightsUs: 500 })[0]?.compared?.stateEqual, false);
  assert.deepEqual(
    round(weighed, { weightsUs: 500, timeUs: 1500 }),
    [],
    'checksums from before it went wrong prove nothing',
  );
  const [proven] = round(weighed, { weightsUs: 2000, timeUs: 3000 });
  assert.equal(proven?.compared?.stateEqual, true);
  assert.match(proven?.detail ?? '', /weights were proven equal since, so it computes wrongly/);
  const differ = LOST.map((answer) => ({ ...answer, weights: `w${answer.replica}` }));
  assert.match(watch().round(differ)[0]?.detail ?? '', /its weights differ too/);
});

test('who never agreed since its server was started is another configuration, or was wrong from the beginning: soft', () => {
  for (const made of [watch(0), watch()]) {
    made.standing.restart();
    const [finding] = made.round(LOST, { reference: null });
    assert.deepEqual([finding?.severity, finding?.compared], ['WARNING', undefined]);
    assert.match(finding?.detail ?? '', /never agreed since it or they were started/);
    assert.deepEqual(made.round(LOST, { reference: null }), [], 'told once, as it may be so for good');
  }
});

test('others that were started anew with other weights are no reason to accuse the last one: soft, until it agreed with them', () => {
  const { round } = watch();
  const updated = LOST.map((answer) => (answer.replica === 'a' ? answer : { ...answer, sinceUs: 2 }));
  const [finding] = round(updated);
  assert.deepEqual([finding?.severity, finding?.compared], ['WARNING', undefined]);
  const one = LOST.map((answer) => (answer.replica === 'b' ? { ...answer, sinceUs: 2 } : answer));
  assert.deepEqual(round(one), [], 'the same, of which one is enough');
  round(updated.filter(({ again }) => !again).map((answer) => ({ ...answer, digest: 'x' })));
  assert.equal(round(updated)[0]?.severity, 'CRITICAL');
});

test('two replicas that differ: no vote, and soft evidence against the one that changed', () => {
  const { round } = watch();
  const [changed] = round([said('a', 'y'), said('b', 'x')]);
  assert.deepEqual([changed?.severity, changed?.compared], ['HIGH', undefined]);
  const [kept] = round([said('a', 'x'), said('b', 'y')]);
  assert.deepEqual([kept?.severity, /no majority/.test(kept?.detail ?? '')], ['INFO', true]);
  assert.equal(round([said('a', 'y'), said('b', 'z')], { reference: null })[0]?.severity, 'WARNING');
});

test('a replica alone is held against what it answered before', () => {
  const { round } = watch(0);
  const wrong = [said('a', 'y'), said('a', 'y', { again: true })];
  assert.deepEqual(round([said('a', 'x')]), []);
  const [finding] = round(wrong);
  assert.deepEqual(round(wrong), [], 'told once');
  round([said('a', 'x')]);
  assert.equal(round(wrong).length, 1, 'it was right again');
  assert.deepEqual([finding?.severity, finding?.compared], ['CRITICAL', undefined]);
  assert.equal(round([said('a', 'y'), said('a', 'x', { again: true })])[0]?.severity, 'HIGH');
});

test('what could not be told is told in a later round', () => {
  const alone = [said('a', 'y'), said('a', 'y', { again: true })];
  const without = (one: string) => LOST.filter(({ replica }) => replica !== one);
  for (const [answers, agreed, differing] of [
    [alone, 0, {}],
    [without('c'), 3, {}],
    [LOST, 0, {}],
    [LOST, 3, { isPure: false }],
  ] as const) {
    const { round } = watch(agreed);
    for (let i = 0; i < 2 * MANY; i += 1) {
      const [finding] = round([...answers], differing);
      assert.ok(finding !== undefined && finding.severity !== 'INFO');
      finding.onUntold?.();
    }
    assert.equal(round([...answers], differing).length, 1);
    assert.deepEqual(round([...answers], differing), [], 'it was told');
  }
});

test('a bit that flips within a round: it comes and goes, and stays from the next round on', () => {
  const { round } = watch(0);
  const severities = [said('a', 'between'), said('a', 'y')].map((first) =>
    round([first, said('a', 'y', { again: true })]).map(({ severity }) => severity),
  );
  assert.deepEqual(severities, [['HIGH'], ['CRITICAL']]);
});

test('where most replicas contradict themselves bits accuse nobody any more', () => {
  const { round, repeatability } = watch();
  const noisy = { contradictions: 2 };
  const [finding] = round([
    said('a', 'y', noisy),
    said('b', 'x', noisy),
    said('c', 'x'),
    said('a', 'x', { ...noisy, again: true }),
  ]);
  assert.deepEqual([finding?.severity, finding?.compared, repeatability.phase], ['INFO', undefined, 'varies']);
});

test('a replica of several devices answers with each of them', () => {
  const { round } = watch();
  const pair = LOST.map((answer) => ({ ...answer, gpus: [`${answer.replica}0`, `${answer.replica}1`] }));
  const gpus = round(pair)[0]?.compared?.answers.map(({ gpu }) => gpu);
  assert.deepEqual(gpus, ['a0', 'a1', 'a0', 'a1', 'b0', 'b1', 'c0', 'c1']);
});
