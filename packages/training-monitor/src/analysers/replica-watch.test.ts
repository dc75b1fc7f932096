import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReplicaWatch } from './replica-watch.js';

const GROUPS = [1, 1, 1, 1];

/** Rounds by the first digits of each rank's parameters; `|` begins those of its optimizer state. */
function rounds(watch: ReplicaWatch, ...texts: readonly (readonly string[])[]) {
  return texts.map((texts, step) => {
    const checksums = texts.map((text) => {
      const [parameters = '', state = '0'] = text.split('|');
      return text === '' ? '' : parameters.padEnd(32, parameters) + state.padEnd(32, state);
    });
    return watch.round({ checksums, blocks: [] }, GROUPS.slice(0, texts.length), 0, { step, timeUs: step });
  });
}

test('a rank that differs is named once, with how often it agreed before', () => {
  const bad = ['a', 'a', 'b', 'a'];
  const [, , first, second] = rounds(new ReplicaWatch(), ['a', 'a', 'a', 'a'], ['c', 'c', 'c', 'c'], bad, bad);
  assert.equal(first?.length, 1);
  assert.deepEqual(first[0]?.ranks, [2]);
  assert.equal(first[0]?.compared?.agreedBefore, 2);
  assert.equal(first[0]?.severity, 'CRITICAL');
  assert.match(first[0]?.detail ?? '', /Rank 2 holds other parameters after step 2 than 3 of 4 replicas/);
  assert.deepEqual(second, []);
});

test('a second rank is named while the first is still wrong', () => {
  const [, later] = rounds(new ReplicaWatch(), ['a', 'b', 'a', 'a'], ['a', 'b', 'c', 'a']);
  assert.deepEqual(
    later?.map(({ ranks }) => ranks),
    [[2]],
  );
  assert.deepEqual(
    later?.[0]?.compared?.answers.map(({ rank }) => rank),
    [0, 2, 3],
  );
});

test('a tie names all of whom one is wrong, once', () => {
  const [first, second] = rounds(new ReplicaWatch(), ['a', 'b'], ['c', 'd']);
  assert.deepEqual(
    first?.map(({ ranks }) => ranks),
    [[0, 1]],
  );
  assert.match(first?.[0]?.detail ?? '', /no more than half agree/);
  assert.deepEqual(second, []);
});

test('a rank that is equal again is told to agree, after 1, 10, … rounds, and can be named anew', () => {
  const equal = ['a', 'a', 'a', 'a'];
  const bad = ['a', 'a', 'a', 'b'];
  const all = rounds(new ReplicaWatch(), bad, ...Array.from({ length: 12 }, () => equal), bad);
  const told = all.map((findings) => findings.map(({ severity, ranks }) => `${severity} ${ranks}`));
  assert.deepEqual(told[0], ['CRITICAL 3']);
  assert.deepEqual(told[1], ['INFO 3']);
  assert.deepEqual(told[2], []);
  assert.deepEqual(told[10], ['INFO 3']);
  assert.deepEqual(told[13], ['CRITICAL 3']);
  assert.equal(all[13]?.[0]?.compared?.agreedBefore, 12);
  const answers = all[1]?.[0]?.compared?.answers ?? [];
  assert.equal(new Set(answers.map(({ digest }) => digest)).size, 1);
});

test('says whether parameters, optimizer state or both differ', () => {
  const [state] = rounds(new ReplicaWatch(), ['a|1', 'a|2', 'a|1']);
  assert.match(state?.[0]?.detail ?? '', /other optimizer state after/);
  const [both] = rounds(new ReplicaWatch(), ['a|1', 'b|2', 'a|1']);
  assert.match(both?.[0]?.detail ?? '', /other parameters and optimizer state after/);
});

test('groups of replicas vote apart; a rank without one is not compared', () => {
  const watch = new ReplicaWatch();
  const checksums = ['aa', 'bb', 'aa', 'bb', 'aa', 'cc', 'dd'];
  const groups = [1, 2, 1, 2, 1, 2, 0];
  const found = watch.round({ checksums, blocks: [] }, groups, 0, { step: 1, timeUs: 1 });
  assert.deepEqual(
    found.map(({ ranks }) => ranks),
    [[5]],
  );
});

/** A round by what each rank holds in each block, one letter for each. */
function blocks(watch: ReplicaWatch, held: readonly string[], step: number) {
  const checksums = held.map((text) => Buffer.from(text.padEnd(32, '.')).toString('hex'));
  const told = held.map((text) => [...text].map((letter) => letter.charCodeAt(0).toString(16).repeat(8)).join(''));
  return watch.round({ checksums, blocks: told }, GROUPS.slice(0, held.length), 0, { step, timeUs: step });
}

test('two of four that differ in different places are both named, by those who agree there', () => {
  const watch = new ReplicaWatch();
  blocks(watch, ['aaa', 'aaa', 'aaa', 'aaa'], 1);
  const found = blocks(watch, ['aaa', 'axa', 'aaa', 'aax'], 2);
  assert.deepEqual(
    found.map(({ ranks, severity }) => [ranks, severity]),
    [
      [[1], 'CRITICAL'],
      [[3], 'CRITICAL'],
    ],
  );
  const agreeing = found.map(({ compared }) => {
    const [wrong] = compared?.answers.filter(({ digest }) => digest.startsWith('78')) ?? [];
    return [wrong?.rank, compared?.answers.length, compared?.agreedBefore];
  });
  assert.deepEqual(agreeing, [
    [1, 4, 1],
    [3, 4, 1],
  ]);
  // They stay wrong, and the others stay equal.
  assert.deepEqual(blocks(watch, ['bbb', 'byb', 'bbb', 'bby'], 3), []);
});

test('faults in one block stay a tie, as do replicas of which no two are equal', () => {
  const [one] = blocks(new ReplicaWatch(), ['aaa', 'axa', 'aaa', 'aya'], 1);
  assert.deepEqual(one?.ranks, [0, 1, 2, 3]);
  const [alike] = blocks(new ReplicaWatch(), ['aaa', 'aaa', 'axa', 'axa'], 1);
  assert.deepEqual(alike?.ranks, [0, 1, 2, 3]);
  const [none] = blocks(new ReplicaWatch(), ['xaaa', 'axaa', 'aaxa', 'aaax'], 1);
  assert.deepEqual(none?.ranks, [0, 1, 2, 3]);
  assert.match(none?.detail ?? '', /no more than half agree/);
});

test('who differs in a block that is tied is not outvoted because another rank is, elsewhere', () => {
  // Ranks 1 and 2 differ in the first block, which is tied; rank 1 alone in the third.
  const found = blocks(new ReplicaWatch(), ['aaa', 'xax', 'xaa', 'aaa'], 1);
  assert.deepEqual(
    found.map(({ ranks }) => ranks),
    [[1], [0, 2, 3]],
  );
  assert.equal(found[1]?.compared?.answers.length, 4);
});
