import assert from 'node:assert/strict';
import { test } from 'node:test';
import { voteReplay } from './replay-vote.js';

/** `0:a 0+b 1+a` = original a of rank 0, its repeat b, rank 1's repeat a. */
const vote = (text: string, rank = 0) =>
  voteReplay(
    rank,
    text.split(' ').map((part) => {
      const [, by = '', kind = '', digest = ''] = /^(\d+)([:+])(.*)$/.exec(part) ?? [];
      return { rank: Number(by), digest, again: kind === '+' };
    }),
  );

const cases: readonly (readonly [string, string, readonly number[]])[] = [
  ['0:a 0+a 1+a', 'agree', []],
  ['0:b 0+a 1+a', 'transient', [0]],
  ['0:b 0+a', 'transient', [0]],
  ['0:b 0+a 1+c', 'transient', [0]],
  ['0:b 0+b 1+a 2+a', 'persistent', [0]],
  ['0:a 0+a 1+b 2+a', 'other', [1]],
  ['0:a 0+a 1+b', 'open', [0, 1]],
  ['0+a 1+b', 'open', [0, 1]],
  ['0+b 1+a 2+a', 'persistent', [0]],
  ['0:a 0+a 1+b 2+c', 'open', [0, 1, 2]],
  ['0:a', 'none', []],
  ['0:a 0+', 'none', []],
];
for (const [text, kind, accused] of cases) {
  test(`${text}: ${kind}`, () => assert.deepEqual(vote(text), { kind, accused }));
}
