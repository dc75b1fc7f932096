import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Ballot, digestOf, vote } from './vote.js';

const RIGHT = 0xaaaa;
const ballots = (...of: readonly (readonly number[])[]): Ballot[] =>
  of.map((digests, i) => ({ deviceId: `d${i}`, digests }));

test('three that agree agree', () => {
  assert.deepEqual(vote(ballots([RIGHT, RIGHT], [RIGHT], [RIGHT, 0])), {
    outcome: 'AGREED',
    digest: RIGHT,
    dissents: [],
  });
});

test('two of three outvote the third, on the SMs that differ', () => {
  const all = vote(ballots([RIGHT], [5, 5], [RIGHT]));
  assert.deepEqual([all.outcome, all.dissents], ['DISSENT', [{ deviceId: 'd1', positions: [0, 1] }]]);
  const one = vote(ballots([RIGHT, RIGHT, RIGHT], [RIGHT, 5, RIGHT], [RIGHT]));
  assert.deepEqual([one.outcome, one.dissents], ['DISSENT', [{ deviceId: 'd1', positions: [1] }]]);
});

test('no two that agree accuse nobody', () => {
  assert.deepEqual(vote(ballots([1], [2], [3])), { outcome: 'NO_MAJORITY', digest: 0, dissents: [] });
  // A device whose own SMs agree on nothing has no vote to give, but two others suffice.
  assert.equal(vote(ballots([1, 2], [7], [7])).outcome, 'DISSENT');
  assert.equal(vote(ballots([1, 2], [3, 4], [7])).outcome, 'NO_MAJORITY');
});

test('who did not run does not vote', () => {
  for (const silent of [[], [0, 0]])
    assert.deepEqual(vote(ballots([RIGHT], silent, [5])), { outcome: 'TIMEOUT', digest: 0, dissents: [] });
});

const digest = fc.constantFrom(0, 1, 2, 3);
const three = fc.tuple(...[0, 1, 2].map(() => fc.array(digest, { minLength: 1, maxLength: 5 })));

test('whatever they computed: order does not matter, only a majority accuses, and never both of two that agree', () => {
  fc.assert(
    fc.property(three, fc.constantFrom([0, 1, 2], [2, 1, 0], [1, 2, 0]), (digests, order) => {
      const given = ballots(...digests);
      const verdict = vote(given);
      const turned = vote(order.map((i) => given[i] as Ballot));
      const names = (v: typeof verdict) => v.dissents.map(({ deviceId }) => deviceId).sort();
      assert.deepEqual(
        [turned.outcome, turned.digest, names(turned)],
        [verdict.outcome, verdict.digest, names(verdict)],
      );
      assert.equal(verdict.dissents.length > 0, verdict.outcome === 'DISSENT');
      for (const { deviceId, positions } of verdict.dissents) {
        const others = given.filter((other) => other.deviceId !== deviceId);
        const mine = given.find((ballot) => ballot.deviceId === deviceId)?.digests ?? [];
        assert.ok(positions.every((at) => mine[at] !== 0 && mine[at] !== verdict.digest));
        if (digestOf(mine) !== verdict.digest)
          assert.ok(
            others.every((other) => digestOf(other.digests) === verdict.digest),
            'both others agree',
          );
      }
    }),
  );
});
