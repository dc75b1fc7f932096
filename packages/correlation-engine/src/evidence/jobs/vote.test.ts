import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ComparedAnswer } from '../job-record.js';
import { voteOf } from './vote.js';

/** "a:x" = device a answered x. */
function answers(...said: string[]): ComparedAnswer[] {
  return said.map((text, rank) => {
    const [gpu = '', digest = ''] = text.split(':');
    return { node: 'n', gpu, rank, digest, again: false };
  });
}

function verdict(...said: string[]): string {
  const { outcome, outvoted } = voteOf(answers(...said));
  return [outcome, ...outvoted.map(({ gpu }) => gpu)].join(' ');
}

test('a minority of three devices or more is outvoted', () => {
  assert.equal(verdict('a:x', 'b:x', 'c:y'), 'OUTVOTED c');
  assert.equal(verdict('a:y', 'b:x', 'c:x', 'd:x', 'e:z'), 'OUTVOTED a e');
  assert.equal(verdict('a:x', 'b:x', 'c:x'), 'AGREED');
});

test('two devices, ties, and a job in which all differ accuse nobody', () => {
  assert.equal(verdict('a:x', 'b:y'), 'TOO_FEW');
  assert.equal(verdict('a:x', 'a:x', 'a:x', 'b:y'), 'TOO_FEW', 'ranks of one device are one voter');
  assert.equal(verdict('a:x', 'b:x', 'c:y', 'd:y'), 'NO_MAJORITY');
  assert.equal(verdict('a:x', 'b:y', 'c:z'), 'NO_MAJORITY');
  assert.equal(verdict('a:x', 'b:x', 'c:y', 'd:z'), 'NO_MAJORITY', 'half is no majority');
});

test('of a replay the original or the repeated answer may be the wrong one', () => {
  assert.equal(verdict('a:y', 'a:x', 'b:x', 'c:x'), 'OUTVOTED a');
  assert.equal(verdict('a:y', 'a:y', 'b:x', 'c:x'), 'OUTVOTED a');
  assert.equal(verdict('a:y', 'a:x', 'b:x'), 'TOO_FEW', 'itself is no other device');
  assert.deepEqual(
    voteOf(answers('a:y', 'a:x', 'b:x', 'c:x', 'd:z')).outvoted.map(({ gpu, wavers }) => [gpu, wavers]),
    [],
    'two of four are no majority',
  );
  const [a] = voteOf(answers('a:y', 'a:x', 'b:x', 'c:x')).outvoted;
  assert.deepEqual(a, { gpu: 'a', digest: 'y', wavers: true, together: 1 });
});

test('devices that answered together have one vote, and each of them is outvoted with the others', () => {
  const replica = (group: number, digest: string, ...gpus: string[]) =>
    gpus.map((gpu) => ({ node: 'n', gpu, rank: group, digest, again: false, group }));
  const { outcome, devices, agreeing, outvoted } = voteOf([
    ...replica(1, 'y', 'a', 'b'),
    ...replica(2, 'x', 'c', 'd'),
    ...replica(3, 'x', 'e', 'f'),
  ]);
  assert.deepEqual([outcome, devices, agreeing], ['OUTVOTED', 3, 2]);
  assert.deepEqual(
    outvoted.map(({ gpu, together }) => [gpu, together]),
    [
      ['a', 2],
      ['b', 2],
    ],
  );
  const pair = [...replica(1, 'x', 'a', 'b', 'c'), ...replica(2, 'y', 'd')];
  assert.equal(voteOf(pair).outcome, 'TOO_FEW', 'three devices of one replica are one voter');
  const chain = [
    ...replica(1, 'x', 'a', 'b'),
    ...replica(2, 'x', 'b', 'c'),
    ...replica(3, 'y', 'd'),
    ...replica(4, 'x', 'c'),
  ];
  assert.equal(voteOf(chain).devices, 2, 'groups that share a device are one');
});

test('a device that is not known has no vote', () => {
  assert.equal(verdict(':x', ':x', 'a:x', 'b:y'), 'TOO_FEW');
  assert.equal(verdict('a:x', 'b:x', 'c:x', ':y'), 'OUTVOTED');
});

const anyAnswers = fc.array(
  fc
    .record({
      node: fc.constantFrom('n', 'm'),
      gpu: fc.constantFrom('', 'a', 'b', 'c', 'd', 'e', 'f'),
      rank: fc.nat(7),
      digest: fc.constantFrom('x', 'y', 'z'),
      again: fc.boolean(),
      group: fc.constantFrom(0, 0, 1, 2),
    })
    .map(({ group, ...answer }): ComparedAnswer => (group === 0 ? answer : { ...answer, group })),
  { minLength: 2, maxLength: 20 },
);

test('whoever is outvoted has more than half of all devices against it, two of them others', () => {
  fc.assert(
    fc.property(anyAnswers, (given) => {
      const { digest, devices, agreeing, outvoted } = voteOf(given);
      const known = new Set(given.map(({ gpu }) => gpu).filter((gpu) => gpu !== ''));
      assert.ok(devices <= known.size);
      if (given.some(({ group }) => group !== undefined)) return;
      assert.equal(devices, known.size);
      for (const { gpu, digest: wrong } of outvoted) {
        const others = [...known].filter((other) => {
          const said = given.filter((answer) => answer.gpu === other);
          return other !== gpu && said.every((answer) => answer.digest === digest);
        });
        assert.ok(others.length >= 2 && 2 * others.length > known.size && others.length === agreeing);
        assert.ok(wrong !== digest && given.some((answer) => answer.gpu === gpu && answer.digest === wrong));
      }
    }),
  );
});

test('the order of the answers, and how often one is told, does not matter', () => {
  fc.assert(
    fc.property(anyAnswers, fc.nat(19), (given, by) => {
      const turned = [...given.slice(by), ...given.slice(0, by), ...given].reverse();
      assert.deepEqual(voteOf(turned), voteOf(given));
    }),
  );
});

test('to call the digests otherwise changes nothing but their names', () => {
  const other: Record<string, string> = { x: 'z', y: 'x', z: 'y' };
  fc.assert(
    fc.property(anyAnswers, (given) => {
      const renamed = given.map((answer) => ({ ...answer, digest: other[answer.digest] ?? '' }));
      const names = (verdictOf: ReturnType<typeof voteOf>) => [
        verdictOf.outcome,
        verdictOf.outvoted.map(({ gpu }) => gpu),
      ];
      assert.deepEqual(names(voteOf(renamed)), names(voteOf(given)));
    }),
  );
});
