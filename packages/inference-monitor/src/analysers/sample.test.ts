import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statisticsOf } from './sample.js';
import { sampleOf } from './testing/limits.js';

test('means are weighted by tokens, the largest logit is of all blocks, lengths are logarithms', () => {
  const [long] = sampleOf({ entropy: 1, maxLogit: 20 }).blocks;
  const [short] = sampleOf({ entropy: 3, maxLogit: 25, logprobs: Array.from({ length: 16 }, () => -1) }).blocks;
  assert.ok(long !== undefined && short !== undefined);
  const found = statisticsOf({ ...sampleOf(), tokens: 80, blocks: [long, short] });
  assert.deepEqual([found.entropy, found.max_logit], [1.4, 25]);
  assert.ok(Math.abs(found.length - Math.log(81)) < 1e-12);
});

test('what was not measured is not a number', () => {
  const found = statisticsOf({ ...sampleOf({ entropy: undefined, maxLogit: undefined }), tokens: undefined });
  assert.deepEqual([found.entropy, found.max_logit, found.length], [Number.NaN, Number.NaN, Number.NaN]);
  assert.equal(found.top_logprob, -0.5);
});
