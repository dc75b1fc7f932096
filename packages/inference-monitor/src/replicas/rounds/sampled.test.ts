import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Replay } from '@sentinel/contracts/sentinel/v1/inference.js';
import { Random } from '@sentinel/monitor-kit/testing/random';
import type { TokenBlock } from '../../analysers/sample.js';
import { Reservoir, sampledOf } from './sampled.js';

const NOTHING = { entropy: undefined, topLogprob: undefined, maxLogit: undefined, excess: undefined, impossible: 0 };
const blocks: TokenBlock[] = [
  { ...NOTHING, logprobs: [-1, -2] },
  { ...NOTHING, logprobs: [-3] },
];

test('what the user got is compared where it has a probability for each token of the answer', () => {
  const replay = (completion: number[]) => Replay.fromPartial({ prompt: [9], completion });
  assert.deepEqual(sampledOf({ blocks }, replay([5, 6, 7]))?.logprobs, [-1, -2, -3]);
  assert.deepEqual(sampledOf({ blocks }, replay([5, 6]))?.logprobs, []);
  assert.equal(sampledOf({ blocks }, replay([])), null);
  assert.equal(sampledOf({ blocks }, Replay.fromPartial({ body: Buffer.from('{}') }))?.replay.body.length, 2);
});

test('of the requests since the last replay each is taken with the same probability', () => {
  const random = new Random(3);
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < 8000; i += 1) {
    const reservoir = new Reservoir(() => random.next());
    for (const k of counts.keys()) reservoir.offer({ replay: Replay.fromPartial({ prompt: [k] }), logprobs: [] });
    const k = reservoir.take()?.replay.prompt[0] ?? -1;
    counts[k] = (counts[k] ?? 0) + 1;
    assert.deepEqual([reservoir.isEmpty, reservoir.take()], [true, null]);
  }
  // Four standard deviations of a count.
  for (const count of counts) assert.ok(Math.abs(count - 2000) < 160, `${counts}`);
});
