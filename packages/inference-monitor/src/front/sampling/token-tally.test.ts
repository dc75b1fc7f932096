import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TokenBlock } from '@sentinel/contracts/sentinel/v1/inference.js';
import { TokenTally } from './token-tally.js';

const half = Math.log(0.5);
const near = (value: number | undefined, expected: number) =>
  assert.ok(Math.abs((value ?? Number.NaN) - expected) < 1e-12, `${value} is not ${expected}`);

test('entropy counts what is not told as one further token', () => {
  const tally = new TokenTally();
  tally.push({ logprob: half, top: [half, Math.log(0.25)] });
  const [block] = tally.blocks();
  near(block?.entropy, 0.5 * Math.log(2) + 2 * 0.25 * Math.log(4));
  near(block?.topLogprob, half);
  assert.deepEqual([block?.excess, block?.impossible], [0, 0]);
});

test('what no probability can be is counted, and what sums up to more than 1 is told', () => {
  const tally = new TokenTally();
  tally.push({ logprob: null, top: [0.5, Number.NEGATIVE_INFINITY] });
  tally.push({ logprob: half, top: [Math.log(0.8), Math.log(0.4)] });
  const [block] = tally.blocks();
  assert.equal(block?.impossible, 3);
  near(block?.excess, 0.2);
});

test('a block has 64 tokens and at most 300 bytes; without the most likely tokens there is no entropy', () => {
  const tally = new TokenTally();
  for (let k = 0; k < 150; k += 1) tally.push({ logprob: -k - 1 / 3, top: [-0.1, -3, -4, -5, 1e9] });
  const blocks = tally.blocks();
  assert.deepEqual(
    blocks.map(({ logprobs }) => logprobs.length),
    [64, 64, 22],
  );
  for (const block of blocks) {
    const full = { ...block, maxLogit: 1.5, excess: 0.5 };
    assert.ok(TokenBlock.encode(full).finish().length <= 300);
  }
  const bare = new TokenTally();
  bare.push({ logprob: -1, top: [] });
  assert.deepEqual([bare.blocks()[0]?.entropy, bare.count], [undefined, 1]);
});
