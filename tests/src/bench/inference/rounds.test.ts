import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../harness/random.js';
import { drawRounds, HARMS } from './rounds.js';

const MODEL = { numbers: 1000, tokens: 32 };
const draw = (seed: number) => drawRounds(20, HARMS, 3, MODEL, new Random(seed));

test('each block has every harm once and a sound round, and no replica has two rounds in succession', () => {
  const rounds = draw(1);
  assert.equal(rounds.length, 100);
  for (let k = 0; k < 100; k += 5)
    assert.deepEqual(
      rounds
        .slice(k, k + 5)
        .map(({ harm }) => harm)
        .sort(),
      [...HARMS, 'sound'].sort(),
    );
  assert.ok(rounds.every(({ replica }, k) => replica !== rounds[k + 1]?.replica));
  assert.deepEqual(new Set(rounds.map(({ replica }) => replica)), new Set([0, 1, 2]));
});

test('a weight is one of the checkpoint, and its bit one of its kind', () => {
  const bits = { exponent: [23, 31], high_mantissa: [12, 22], low_mantissa: [0, 11] } as const;
  for (const round of draw(2)) {
    if (!('at' in round)) continue;
    const [first, last] = bits[round.harm];
    assert.ok(round.bit >= first && round.bit <= last, `${round.harm} ${round.bit}`);
    assert.ok(round.at >= 0 && round.at < MODEL.numbers);
  }
});

test('a seed gives the same rounds again', () => {
  assert.deepEqual(draw(3), draw(3));
  assert.notDeepEqual(draw(3), draw(4));
});
