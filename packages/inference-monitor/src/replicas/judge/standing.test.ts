import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Standing } from './standing.js';

test('what it agreed in before a loss of any kind counts no more', () => {
  const standing = new Standing();
  for (let i = 0; i < 5; i += 1) standing.agreed('canary');
  standing.agreed('weights');
  assert.deepEqual([standing.agreedBefore('canary'), standing.agreedBefore('weights')], [5, 1]);
  standing.lost('canary', 100);
  assert.deepEqual([standing.agreedBefore('canary'), standing.agreedBefore('weights')], [0, 0]);
});

test('it stays lost until it agrees in that kind, whatever else it agrees in', () => {
  const standing = new Standing();
  standing.lost('weights', 50);
  standing.lost('canary', 100);
  assert.equal(standing.lostSinceUs, 50);
  standing.agreed('weights');
  assert.equal(standing.lostSinceUs, 100);
  standing.lost('canary', 200);
  assert.equal(standing.lostSinceUs, 100);
  standing.agreed('canary');
  assert.equal(standing.lostSinceUs, null);
});

test('agreement is told of a kind that lost: the first time, the tenth, the hundredth', () => {
  const standing = new Standing();
  assert.equal(standing.agreed('canary'), false);
  standing.lost('canary', 1);
  const told = Array.from({ length: 100 }, () => standing.agreed('canary'));
  assert.deepEqual(
    told.flatMap((each, i) => (each ? [i + 1] : [])),
    [1, 10, 100],
  );
  assert.equal(standing.agreed('replay'), false);
});

test('a server that was started anew has agreed with nobody', () => {
  const standing = new Standing();
  standing.agreed('canary');
  assert.equal(standing.hasAgreed('canary'), true);
  standing.restart();
  assert.deepEqual([standing.hasAgreed('canary'), standing.agreedBefore('canary')], [false, 0]);
});

test('it has agreed in what was compared, and in nothing else; not all is remembered for ever', () => {
  const standing = new Standing();
  standing.agreed('replay', 'model 1');
  assert.deepEqual(
    ['model 1', 'model 2', ''].map((subject) => standing.hasAgreed('replay', subject)),
    [true, false, false],
  );
  assert.equal(standing.hasAgreed('canary', 'model 1'), false);
  for (let k = 0; k < 1_000; k += 1) {
    standing.agreed('replay', `other ${k}`);
    standing.agreed('replay', 'used all the time');
  }
  assert.deepEqual(
    ['model 1', 'other 999', 'other 900', 'used all the time'].map((subject) => standing.hasAgreed('replay', subject)),
    [false, true, true, true],
  );
});
