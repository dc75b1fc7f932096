import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SeedVotes } from './model/fleet.js';
import { addVote, isMinority, modalDigest } from './votes.js';

const SEED = { epoch: 7, index: 0 };

function cast(digests: readonly number[], seed = SEED, before: readonly SeedVotes[] = []): readonly SeedVotes[] {
  return digests.reduce<readonly SeedVotes[]>((votes, digest) => addVote(votes, seed, digest), before);
}

test('the digest that nearly all give is the mode, and who gives another is in the minority', () => {
  const votes = cast([5, 5, 5, 99]);
  assert.equal(modalDigest(votes), null, 'three of four are not nearly all');
  assert.equal(modalDigest(cast([5, 5, 5, 5, 99])), 5);
  assert.equal(isMinority(votes, SEED, 99), true);
  assert.equal(isMinority(votes, SEED, 5), false);
  assert.equal(isMinority(votes, { epoch: 8, index: 0 }, 99), false, 'another seed says nothing');
  assert.equal(isMinority(cast([5, 5, 99]), SEED, 99), false, 'two are no majority');
});

test('a racy program has no mode', () => {
  const votes = cast(Array.from({ length: 1000 }, (_, i) => (i % 3 === 0 ? 5 : i)));
  assert.equal(modalDigest(votes), null);
  assert.equal(isMinority(votes, SEED, 1), false);
  assert.equal(votes[0]?.voters, 1000);
});

test('a mode that comes after many stray digests is found, and nothing grows', () => {
  const votes = cast([...Array.from({ length: 50 }, (_, i) => i + 1000), ...Array<number>(950).fill(5)]);
  assert.equal(modalDigest(votes), 5);
  assert.ok((votes[0]?.digests.length ?? 0) <= 8);
  let many: readonly SeedVotes[] = [];
  for (let epoch = 1; epoch <= 1000; epoch += 1) many = cast([5], { epoch, index: 0 }, many);
  assert.deepEqual([many.length, many[0]?.epoch], [32, 1000]);
});
