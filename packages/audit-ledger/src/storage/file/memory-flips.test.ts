/** A slice of the bench `ledger-bitflip`. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { flipInMemory } from '../../testing/memory-flips.js';

it('a bit that flips in memory while a batch is committed is never signed', { timeout: 300_000 }, async () => {
  const { trials, dropped, signed, problems } = await flipInMemory(100, Math.random);
  assert.equal(signed, 0, problems.join('\n'));
  assert.ok(dropped > trials / 2, `${dropped} of ${trials} batches were dropped`);
});
