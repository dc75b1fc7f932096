import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mostContradict, type Said, voteOf } from './vote.js';

const said = (replica: string, digest: string, differing: Partial<Said> = {}): Said => ({
  ...{ replica, node: replica, gpus: [`GPU-${replica}`], digest, again: false },
  ...{ repeatable: true, contradictions: 0, sinceUs: 1, weights: '' },
  ...differing,
});

/** "a:x" = replica a answered x. */
const answers = (...texts: string[]): Said[] =>
  texts.map((text) => {
    const [replica = '', digest = ''] = text.split(':');
    return said(replica, digest);
  });

test('one against two or more that agree, and more than half of all, has lost', () => {
  assert.equal(voteOf('a', answers('a:y', 'b:x', 'c:x')).kind, 'lost');
  assert.equal(voteOf('b', answers('b:x', 'a:y', 'c:x')).kind, 'other');
  assert.equal(voteOf('a', answers('a:x', 'b:x')).kind, 'agree');
  assert.equal(voteOf('a', answers('a:y', 'b:x')).kind, 'open');
  assert.equal(voteOf('a', answers('a:y', 'b:y', 'c:x', 'd:x')).kind, 'open');
  assert.equal(voteOf('a', answers('a:y', 'a:x')).kind, 'alone');
});

test('who contradicts itself has no vote, and is outvoted whatever it said first', () => {
  const { kind, wavers } = voteOf('a', answers('a:y', 'a:x', 'b:x', 'c:x'));
  assert.deepEqual([kind, wavers], ['lost', true]);
  assert.equal(voteOf('b', answers('b:x', 'a:y', 'a:x')).kind, 'open', 'one other is no majority');
});

test('where most contradict themselves it is no device', () => {
  const one = said('a', 'x', { contradictions: 3 });
  assert.equal(mostContradict([one, said('b', 'x'), said('c', 'x')]), false);
  assert.equal(mostContradict([one, said('b', 'x', { contradictions: 1 }), said('c', 'x')]), true);
  assert.equal(mostContradict([one, said('b', 'x', { contradictions: 1 }), said('c', 'x'), said('d', 'x')]), false);
});

test('nobody has lost without two others that said one and the same', () => {
  const any = fc.array(
    fc.record({ replica: fc.constantFrom('a', 'b', 'c', 'd', 'e'), digest: fc.constantFrom('x', 'y', 'z') }),
    {
      minLength: 1,
      maxLength: 12,
    },
  );
  fc.assert(
    fc.property(any, (given) => {
      const all = given.map(({ replica, digest }) => said(replica, digest));
      const { kind, agreeing } = voteOf('a', all);
      if (kind !== 'lost') return;
      assert.ok(agreeing.length >= 2 && !agreeing.includes('a'));
      const digests = new Set(all.filter(({ replica }) => agreeing.includes(replica)).map(({ digest }) => digest));
      assert.equal(digests.size, 1);
      assert.ok(2 * agreeing.length > new Set(all.map(({ replica }) => replica)).size);
    }),
  );
});
