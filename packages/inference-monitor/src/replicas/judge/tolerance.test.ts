import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '@sentinel/monitor-kit/testing/random';
import { SoftWatch, type Valued } from './soft-watch.js';
import { distanceOf, GROSS, Tolerance } from './tolerance.js';

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

test('what is far beyond rounding is told at once, the rest when the limit is known', () => {
  const tolerance = new Tolerance();
  assert.deepEqual(tolerance.push(GROSS + 1), { distance: GROSS + 1, limit: GROSS });
  assert.deepEqual(tolerance.push(Number.NaN)?.limit, GROSS);
  const random = new Random(1);
  for (let i = 0; i < 2000; i += 1) tolerance.push(Math.abs(0.01 * random.normal()));
  assert.ok(tolerance.limit < 0.2 && tolerance.limit > 0.03, `${tolerance.limit}`);
});

/** Answers of three replicas that round otherwise. */
function rounded(random: Random, wrong = 0): Valued[] {
  const truth = Array.from({ length: 24 }, () => -5 * random.next());
  return ['a', 'b', 'c'].map((replica) => ({
    replica,
    tokens: [],
    values: truth.map((value) => value + 0.02 * random.t4() + (replica === 'a' ? wrong * random.normal() : 0)),
  }));
}

test('replicas that round otherwise accuse nobody in 30,000 rounds; one that drifts is told, and only by itself', () => {
  const random = new Random(2);
  const watches = { a: new SoftWatch('canary'), b: new SoftWatch('canary') };
  const judge = (wrong: number) => {
    const [a, b, c] = rounded(random, wrong);
    assert.ok(a !== undefined && b !== undefined && c !== undefined);
    return [watches.a.judge(a, [b, c], 1).length, watches.b.judge(b, [a, c], 1).length];
  };
  let alarms = 0;
  for (let i = 0; i < 30_000; i += 1) alarms += judge(0).reduce((x, y) => x + y);
  assert.ok(alarms <= 1, `${alarms} alarms`);
  let found = 0;
  for (let i = 0; i < 100; i += 1) {
    const [ofA = 0, ofB = 0] = judge(0.5);
    found += ofA;
    assert.equal(ofB, 0);
  }
  assert.ok(found > 90, `${found} of 100`);
});
