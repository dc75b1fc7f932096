import assert from 'node:assert/strict';
import { test } from 'node:test';
import { voteReplicas } from './replica-vote.js';

const vote = (digests: readonly string[], minConsensus = 0) =>
  voteReplicas(new Map(digests.map((digest, rank) => [rank, digest])), minConsensus);

test('the minority is named', () => {
  assert.deepEqual(vote(['a', 'b', 'a', 'a']), { voters: [0, 1, 2, 3], majority: 'a', differing: [1] });
  assert.deepEqual(vote(['a', 'b', 'c', 'a', 'a']).differing, [1, 2]);
});

test('without more than half there is no majority: all differ', () => {
  for (const digests of [
    ['a', 'b'],
    ['a', 'a', 'b', 'b'],
    ['a', 'a', 'b', 'c'],
    ['a', 'b', 'c'],
  ]) {
    const { majority, differing } = vote(digests);
    assert.equal(majority, null);
    assert.equal(differing.length, digests.length);
  }
});

test('equal replicas differ in nothing; one alone agrees with nobody', () => {
  assert.deepEqual(vote(['a', 'a']), { voters: [0, 1], majority: 'a', differing: [] });
  assert.deepEqual(vote(['a']), { voters: [0], majority: null, differing: [] });
  assert.deepEqual(vote([]), { voters: [], majority: null, differing: [] });
});

test('a rank that gave none has no vote', () => {
  assert.deepEqual(vote(['a', '', 'b', 'a']), { voters: [0, 2, 3], majority: 'a', differing: [2] });
});

test('more can be asked for than half', () => {
  assert.equal(vote(['a', 'a', 'b'], 3).majority, null);
  assert.equal(vote(['a', 'a', 'a', 'b'], 3).majority, 'a');
});
