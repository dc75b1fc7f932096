import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '@sentinel/monitor-kit/testing/random';
import type { Finding } from '../../analysers/finding.js';
import { SoftWatch, type Valued } from './soft-watch.js';
import { distanceOf, GROSS, Tolerance, type Values } from './tolerance.js';

const of = (...values: number[]) => ({ tokens: [], values });

test('the distance is the mean difference, up to where other tokens were chosen', () => {
  assert.equal(distanceOf(of(1, 2, 3, 4), of(1, 2, 3, 6)), 0.5);
  assert.equal(distanceOf(of(1, 2, 3), of(1, 2, 3)), null, 'too few');
  const a = { tokens: [7, 8, 9], values: [0, 0, 0, 0, 1, 5, 9] };
  const b = { tokens: [7, 5, 6], values: [0, 0, 0, 0, 1, 2, 2] };
  assert.equal(distanceOf(a, b), 0, 'the prompt and one token are alike');
  assert.equal(distanceOf(of(1, 2, 3, Number.NaN), of(1, 2, 3, 4)), Number.POSITIVE_INFINITY);
  assert.equal(distanceOf(of(1, 2, 3, Number.NaN), of(1, 2, 3, Number.NaN)), 0);
});

test('of tensors the distance is a share of their own size, whatever their unit', () => {
  const [a, b] = [of(1, 2, 3, 4), of(1, 2, 3, 6)];
  assert.equal(distanceOf(a, b, 'tensor'), 2 / 12);
  const large = ({ values }: Values) => of(...values.map((value) => 1e7 * value));
  assert.equal(distanceOf(large(a), large(b), 'tensor'), 2 / 12);
  assert.equal(distanceOf(of(0, 0, 0, 0), of(0, 0, 0, 0), 'tensor'), 0);
  assert.equal(distanceOf(of(1, 2, 3, Number.NaN), a, 'tensor'), Number.POSITIVE_INFINITY);
});

test('what is far beyond rounding is told at once, the rest when the limit is known', () => {
  const tolerance = new Tolerance('log_probability');
  assert.deepEqual(tolerance.push(GROSS + 1), { distance: GROSS + 1, limit: GROSS });
  assert.deepEqual(tolerance.push(Number.NaN)?.limit, GROSS);
  const random = new Random(1);
  for (let i = 0; i < 2000; i += 1) tolerance.push(Math.abs(0.01 * random.normal()));
  assert.ok(tolerance.limit < 0.2 && tolerance.limit > 0.03, `${tolerance.limit}`);
  assert.equal(new Tolerance('tensor').push(GROSS + 1), null, 'of tensors nobody knows what is far');
});

const LOGPROBS = { subject: '', unit: 'log_probability', timeUs: 1, again: null } as const;

/** Answers of three replicas that round otherwise. */
function rounded(random: Random, wrong = 0): Valued[] {
  const truth = Array.from({ length: 24 }, () => -5 * random.next());
  return ['a', 'b', 'c'].map((replica) => ({
    replica,
    sinceUs: 1,
    tokens: [],
    values: truth.map((value) => value + 0.02 * random.t4() + (replica === 'a' ? wrong * random.normal() : 0)),
  }));
}

test('replicas that round otherwise accuse nobody in 30,000 rounds; one that drifts is told, and only by itself', async () => {
  const random = new Random(2);
  const watches = { a: new SoftWatch('canary'), b: new SoftWatch('canary') };
  const judge = async (wrong: number) => {
    const [a, b, c] = rounded(random, wrong);
    assert.ok(a !== undefined && b !== undefined && c !== undefined);
    return [await watches.a.judge(a, [b, c], LOGPROBS), await watches.b.judge(b, [a, c], LOGPROBS)];
  };
  let alarms = 0;
  for (let i = 0; i < 30_000; i += 1) alarms += (await judge(0)).flat().length;
  assert.ok(alarms <= 1, `${alarms} alarms`);
  let found = 0;
  for (let i = 0; i < 60; i += 1) {
    const [ofA, ofB] = await judge(0.5);
    found += ofA?.length ?? 0;
    assert.deepEqual(ofB, []);
  }
  assert.ok(found > 54, `${found} of 60`);
});

test('what differs in most comparisons is told for a while, then once that it is told no more', async () => {
  const random = new Random(3);
  const watch = new SoftWatch('canary');
  const told = [];
  for (let i = 0; i < 1_001; i += 1) {
    const [a, b, c] = rounded(random, i === 0 ? 0 : 10);
    assert.ok(a !== undefined && b !== undefined && c !== undefined);
    told.push(...(await watch.judge(a, [b, c], LOGPROBS)).map(({ severity }) => severity));
  }
  assert.deepEqual(told, [...Array(64).fill('HIGH'), 'INFO']);
});

/** Output tensors of three replicas and a further answer of the first, each by `compute` from the same inputs. */
async function tensorRounds(rounds: number, compute: (value: number, replica: number, round: number) => number) {
  const watch = new SoftWatch('replay');
  const told: Finding[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const inputs = Array.from({ length: 8 }, (_, i) => i + 1 + (round % 9));
    const answer = (replica: number) => of(...inputs.map((value) => compute(value, replica, round)));
    const [own, ...others] = [0, 1, 2].map((replica) => ({ replica: `${replica}`, sinceUs: 1, ...answer(replica) }));
    assert.ok(own !== undefined);
    const again = async () => answer(0);
    told.push(...(await watch.judge(own, others, { subject: 'm', unit: 'tensor', timeUs: 1, again })));
  }
  return told;
}

test('large outputs whose rounding differs accuse nobody; one whose outputs are a percent off is told', async () => {
  const random = new Random(4);
  const large = (value: number) => 5e6 * value * (1 + 2e-6 * (random.next() - 0.5));
  assert.deepEqual(await tensorRounds(20_000, large), []);
  const told = await tensorRounds(320, (value, replica, round) =>
    replica === 0 && round >= 300 ? 1.01 * large(value) : large(value),
  );
  assert.equal(told.length, 20);
  assert.match(told[0]?.detail ?? '', /^Replica 0: .* is 0\.0\d+ times the size of its values/);
});

test('a model that draws excuses itself, whether it always does or begins to', async () => {
  const random = new Random(5);
  const drawn = (value: number) => value + 20 * random.next();
  assert.deepEqual(await tensorRounds(20_000, drawn), []);
  const seldom = await tensorRounds(20_000, (value, _, round) =>
    round % 50 === 49 ? drawn(value) : value + 1e-7 * random.next(),
  );
  assert.deepEqual(seldom, []);
});

test('others that were started anew with other weights are no reason to tell of the last one, nor is its own start', async () => {
  const random = new Random(6);
  const watch = new SoftWatch('canary');
  const judge = async (shifts: readonly [number, number, number], since: readonly [number, number] = [1, 1]) => {
    const [a, b, c] = rounded(random).map(({ values, ...rest }, i) => ({
      ...rest,
      sinceUs: since[i - 1] ?? 1,
      values: values.map((value) => value + (shifts[i] ?? 0)),
    }));
    assert.ok(a !== undefined && b !== undefined && c !== undefined);
    return (await watch.judge(a, [b, c], LOGPROBS)).map(({ severity }) => severity);
  };
  for (let i = 0; i < 300; i += 1) assert.deepEqual(await judge([0, 0, 0]), []);
  assert.deepEqual(await judge([0, 1, 0], [2, 1]), [], 'one was updated');
  for (let i = 0; i < 9; i += 1) assert.deepEqual(await judge([0, 1, 1], [2, 2]), [], 'both were');
  watch.restart();
  for (let i = 0; i < 9; i += 1) assert.deepEqual(await judge([1, 1, 1], [2, 2]), [], 'so was it');
  assert.deepEqual(await judge([2, 1, 1], [2, 2]), ['HIGH'], 'now it drifts by itself');
  watch.restart();
  assert.deepEqual(await judge([2, 1, 1], [2, 2]), [], 'it was started anew, and nobody knows with what');
});
