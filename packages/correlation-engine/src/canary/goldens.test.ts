import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { GoldenDraft, type GoldenIndex, MAX_COHORTS, MAX_SEEDS, NO_ROOM } from './goldens.js';

const RIGHT = 7;

/** Reports [node, digest] of one seed, each in a transaction of its own. */
function reported(reports: readonly (readonly [string, number])[], index: GoldenIndex = new Map(), epoch = 100) {
  return reports.map(([node, digest]) => {
    const draft = new GoldenDraft(index);
    const compared = draft.take('c', epoch, digest, node);
    draft.install();
    return compared;
  });
}

test('a majority needs three devices on two nodes', () => {
  assert.ok(
    reported([
      ['a', RIGHT],
      ['b', RIGHT],
    ]).every(({ agrees }) => !agrees),
  );
  assert.ok(
    reported([
      ['a', RIGHT],
      ['a', RIGHT],
      ['a', RIGHT],
      ['x', 1],
    ]).every(({ outvoted }) => outvoted.length === 0),
  );
  assert.deepEqual(
    reported([
      ['a', RIGHT],
      ['a', RIGHT],
      ['b', RIGHT],
    ]).at(-1),
    { outvoted: [], agrees: true },
  );
});

test('a node in the minority is found, whether it came late or before there was a majority', () => {
  const late = reported([
    ['a', RIGHT],
    ['b', RIGHT],
    ['c', RIGHT],
    ['x', 1],
  ]);
  assert.deepEqual(late.at(-1), { outvoted: ['x'], agrees: false });
  const early = reported([
    ['x', 1],
    ['a', RIGHT],
    ['b', RIGHT],
    ['c', RIGHT],
    ['d', RIGHT],
  ]);
  assert.deepEqual(
    early.map(({ outvoted }) => outvoted),
    [[], [], [], ['x'], []],
  );
});

test('where the goldens are divided nobody is outvoted', () => {
  const half = reported([
    ['a', 1],
    ['x', 2],
    ['b', 1],
    ['y', 2],
    ['c', 1],
    ['z', 2],
  ]);
  assert.deepEqual(half.at(-1), { outvoted: [], agrees: false });
});

test('memory is bounded: old seeds are forgotten and not taken up again', () => {
  const index: GoldenIndex = new Map();
  for (let epoch = 1; epoch <= MAX_SEEDS + 3; epoch += 1)
    reported(
      [
        ['a', RIGHT],
        ['b', RIGHT],
        ['c', RIGHT],
      ],
      index,
      epoch,
    );
  assert.equal(index.get('c')?.length, MAX_SEEDS);
  assert.deepEqual(reported([['x', 1]], index, 2).at(-1), { outvoted: [], agrees: false });
  assert.equal(index.get('c')?.[0]?.epoch, 4);
  const many = Array.from({ length: 100 }, (_, i) => [`n${i}`, i] as const);
  reported(many, index, 50);
  assert.ok((index.get('c')?.at(-1)?.classes.length ?? 0) <= 4);
});

test('beyond so many cohorts nothing is compared, and that is told apart from a seed that is too old', () => {
  const index: GoldenIndex = new Map();
  const draft = new GoldenDraft(index);
  for (let i = 0; i < MAX_COHORTS; i += 1) draft.take(`c${i}`, 100, RIGHT, 'a');
  assert.equal(draft.take('one more', 100, RIGHT, 'a'), NO_ROOM);
  assert.notEqual(draft.take('c0', 100, RIGHT, 'b'), NO_ROOM);
  draft.install();
  assert.equal(new GoldenDraft(index).take('one more', 101, RIGHT, 'a'), NO_ROOM);
});

test('a draft that is dropped leaves no trace, and one that forgets begins anew', () => {
  const index: GoldenIndex = new Map();
  reported(
    [
      ['a', RIGHT],
      ['b', RIGHT],
      ['c', RIGHT],
    ],
    index,
  );
  const before = JSON.stringify([...index]);
  new GoldenDraft(index).take('c', 100, 1, 'x');
  assert.equal(JSON.stringify([...index]), before);
  const draft = new GoldenDraft(index);
  draft.forget();
  assert.deepEqual(draft.take('c', 100, 1, 'x'), { outvoted: [], agrees: false });
  draft.install();
  assert.deepEqual(
    index.get('c')?.map(({ classes }) => classes.length),
    [1],
  );
});

test('splitting reports over transactions changes nothing, and a majority is never outvoted', () => {
  const report = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.constantFrom(1, 2));
  fc.assert(
    fc.property(fc.array(report, { maxLength: 20 }), (reports) => {
      const one: GoldenIndex = new Map();
      const draft = new GoldenDraft(one);
      const together = reports.map(([node, digest]) => draft.take('c', 100, digest, node));
      draft.install();
      const many: GoldenIndex = new Map();
      const apart = reported(reports, many);
      assert.deepEqual(apart, together);
      assert.deepEqual([...many], [...one]);
      for (const [i, { outvoted, agrees }] of apart.entries()) {
        const mine = reports.slice(0, i + 1).filter(([, digest]) => digest === reports[i]?.[1]).length;
        if (agrees) assert.ok(2 * mine > i + 1);
        if (outvoted.includes(reports[i]?.[0] ?? '') && !agrees) assert.ok(2 * mine < i + 1);
      }
    }),
  );
});
