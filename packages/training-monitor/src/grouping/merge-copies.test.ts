import assert from 'node:assert/strict';
import { test } from 'node:test';
import { disagreeing, mergeChecksums, mergeReplays } from './merge-copies.js';

test('what a rank says of itself counts, of others what most say', () => {
  const copies = new Map([
    [0, ['a', 'x', 'c']],
    [1, ['a', 'b', 'c']],
  ]);
  assert.deepEqual(mergeChecksums(copies, 4), ['a', 'b', 'c', '']);
  assert.equal(disagreeing(copies, ['a', 'b', 'c']), 1);
});

test('a rank with a wrong copy of all others accuses nobody by it', () => {
  const copies = new Map([
    [0, ['a', 'a', 'a', 'a']],
    [1, ['z', 'a', 'z', 'z']],
    [2, ['a', 'a', 'a', 'a']],
  ]);
  assert.deepEqual(mergeChecksums(copies, 4), ['a', 'a', 'a', 'a']);
});

test('two copies that contradict each other of a third rank say nothing of it', () => {
  const copies = new Map([
    [0, ['a', 'a', 'b']],
    [1, ['a', 'a', 'c']],
  ]);
  assert.deepEqual(mergeChecksums(copies, 3), ['a', 'a', '']);
});

test('answers to a micro-batch are merged by who gave them', () => {
  const answer = (rank: number, digest: string, again: boolean) => ({ rank, digest, again });
  const told = (own: string, other: string) => ({
    rank: 0,
    asked: false,
    originalMayDiffer: false,
    answers: [answer(0, own, false), answer(0, own, true), answer(1, other, true)],
  });
  const merged = mergeReplays(
    new Map([
      [0, told('a', 'x')],
      [1, { ...told('y', 'b'), asked: true }],
    ]),
  );
  assert.deepEqual(merged, {
    rank: 0,
    asked: true,
    originalMayDiffer: false,
    answers: [answer(0, 'a', false), answer(0, 'a', true), answer(1, 'b', true)],
  });
  assert.equal(mergeReplays(new Map()), null);
});
