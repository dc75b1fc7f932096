import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Candidate, chooseTrio, seedOf, trioAround } from './select.js';

const FAMILIES = [
  { family: 1, cohort: 'a1' },
  { family: 2, cohort: 'a2' },
];

function candidate(id: string, fields: Partial<Candidate> = {}): Candidate {
  return { id, node: `node-${id}`, suspect: false, families: FAMILIES, ...fields };
}

const FIVE = ['a', 'b', 'c', 'd', 'e'].map((id) => candidate(id));
const first = (strategy: 'round_robin' | 'random' | 'suspect_priority', cursor: string, seed = 0, of = FIVE) =>
  chooseTrio(of, { strategy, cursor, seed })?.members[0].id;

test('round robin goes on after the device that the last canary began with, and begins anew after the last', () => {
  assert.deepEqual(
    ['', 'a', 'b', 'd', 'e'].map((cursor) => first('round_robin', cursor)),
    ['a', 'b', 'c', 'e', 'a'],
  );
});

test('random follows the seed alone', () => {
  assert.deepEqual(
    [0, 1, 4, 5].map((seed) => first('random', 'c', seed)),
    ['a', 'b', 'e', 'a'],
  );
});

test('suspects go first where they have priority', () => {
  const fleet = FIVE.map((one) => ({ ...one, suspect: one.id === 'd' }));
  assert.equal(first('suspect_priority', '', 0, fleet), 'd');
  assert.equal(first('round_robin', '', 0, fleet), 'a');
});

test('members are of one cohort, and of other nodes where there are any', () => {
  const here = { node: 'n1' };
  const alone = candidate('a', here);
  const mixed = [alone, candidate('b', here), candidate('c', here), candidate('d', { node: 'n2' }), candidate('e')];
  const ids = (of: readonly Candidate[]) =>
    trioAround(alone, { family: 1, cohort: 'a1' }, of)?.members.map(({ id }) => id);
  assert.deepEqual(ids(mixed), ['a', 'd', 'e']);
  assert.deepEqual(ids(mixed.slice(0, 3)), ['a', 'b', 'c'], 'one node with three is better than none');
  assert.equal(ids(mixed.slice(0, 2)), undefined);
  const other = [alone, candidate('x', { families: [] }), candidate('y', { families: [] })];
  assert.equal(chooseTrio(other, { strategy: 'round_robin', cursor: '', seed: 0 }), undefined);
});

test('a device without two of its kind is passed over', () => {
  const odd = [candidate('A', { families: [{ family: 1, cohort: 'z' }] }), ...FIVE];
  assert.equal(first('round_robin', '', 0, odd), 'a');
});

test('whatever the fleet: three different devices of one cohort', () => {
  const device = fc.record({
    node: fc.constantFrom('n1', 'n2', 'n3'),
    suspect: fc.boolean(),
    families: fc.constantFrom(FAMILIES, FAMILIES.slice(1), []),
  });
  fc.assert(
    fc.property(
      fc.array(device, { maxLength: 12 }),
      fc.constantFrom('round_robin' as const, 'random' as const, 'suspect_priority' as const),
      fc.nat(),
      (devices, strategy, seed) => {
        const fleet = devices.map((fields, i) => candidate(`d${i}`, fields));
        const trio = chooseTrio(fleet, { strategy, cursor: 'd3', seed });
        const possible = ['a1', 'a2'].some((cohort) => members(fleet, cohort) >= 3);
        assert.equal(trio !== undefined, possible);
        if (trio === undefined) return;
        assert.equal(new Set(trio.members.map(({ id }) => id)).size, 3);
        assert.ok(trio.members.every(({ families }) => families.some(({ cohort }) => cohort === trio.cohort)));
      },
    ),
  );
});

function members(fleet: readonly Candidate[], cohort: string): number {
  return fleet.filter(({ families }) => families.some((entry) => entry.cohort === cohort)).length;
}

test('the seed is that of the record', () => {
  assert.equal(seedOf(7, 0), seedOf(7, 0));
  assert.notEqual(seedOf(7, 0), seedOf(8, 0));
  assert.notEqual(seedOf(7, 0), seedOf(7, 1));
});
