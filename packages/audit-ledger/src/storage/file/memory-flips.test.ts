/** A slice of the bench `ledger-bitflip`. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type SecondPath, SecondPathThread } from '../../commit/second-path.js';
import { flipInMemory } from '../../testing/memory-flips.js';

const checkFlips = async (trials: number, secondPath?: SecondPath): Promise<void> => {
  const { dropped, signed, problems } = await flipInMemory(trials, Math.random, secondPath);
  assert.equal(signed, 0, problems.join('\n'));
  assert.ok(dropped > trials / 2, `${dropped} of ${trials} batches were dropped`);
};

describe('a bit that flips in memory while a batch is committed', { timeout: 300_000 }, () => {
  it('is never signed', async () => await checkFlips(100));

  it('is never signed where the second path is another thread', async () => {
    const thread = new SecondPathThread(0);
    await checkFlips(60, thread.recompute).finally(() => thread.close());
  });
});
