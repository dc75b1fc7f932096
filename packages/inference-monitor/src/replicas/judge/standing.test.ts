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

const others = (sinceUs: number, ...replicas: string[]) => replicas.map((replica) => ({ replica, sinceUs }));

test('a server that was started anew has agreed with nobody, and nobody with one that was', () => {
  const standing = new Standing();
  standing.agreed('canary', '', others(1, 'b', 'c'));
  assert.equal(standing.agreedWith('canary', '', others(1, 'b', 'c', 'd')), 2);
  assert.equal(standing.agreedWith('canary', '', [...others(1, 'b', 'b'), ...others(2, 'c')]), 1, 'c was started anew');
  assert.equal(standing.agreedWith('replay', '', others(1, 'b', 'c')), 0);
  standing.agreed('canary', 'another model', others(1, 'b'));
  assert.deepEqual([standing.others('canary'), standing.others('replay')], [2, 0]);
  standing.restart();
  const left = [standing.agreedWith('canary', '', others(1, 'b', 'c')), standing.agreedBefore('canary')];
  assert.deepEqual([...left, standing.others('canary')], [0, 0, 0]);
});

test('it has agreed in what was compared, and in nothing else; not all is remembered for ever', () => {
  const standing = new Standing();
  const count = (subject: string) => standing.agreedWith('replay', subject, others(1, 'b'));
  standing.agreed('replay', 'model 1', others(1, 'b'));
  assert.deepEqual(['model 1', 'model 2', ''].map(count), [1, 0, 0]);
  for (let k = 0; k < 5_000; k += 1) {
    standing.agreed('replay', `other ${k}`, others(1, 'b'));
    standing.agreed('replay', 'used all the time', others(1, 'b'));
  }
  assert.deepEqual(['model 1', 'other 4999', 'other 4900', 'used all the time'].map(count), [0, 1, 1, 1]);
});
