import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Repeatability, SHOWN_ROUNDS } from './repeatability.js';

const HOUR_US = 3_600_000_000;

function shown(prompts: readonly string[] = ['p'], from?: Repeatability): Repeatability {
  const made = from ?? new Repeatability();
  for (let i = 0; i < SHOWN_ROUNDS; i += 1) {
    const prompt = prompts[i % prompts.length] ?? '';
    made.round(prompt, [`answer to ${prompt}`, `answer to ${prompt}`], 1);
  }
  return made;
}

test('a server is believed to repeat itself only after so many rounds in which it did', () => {
  const made = new Repeatability();
  for (let i = 1; i < SHOWN_ROUNDS; i += 1) made.round('p', ['a', 'a'], 1);
  assert.equal(made.phase, 'learning');
  made.round('p', ['a', 'a'], 1);
  assert.deepEqual([made.phase, made.reference('p'), made.reference('q')], ['repeatable', 'a', null]);
});

test('one answer that differs, in a round or from one to the next, and its bits accuse nobody for a day', () => {
  for (const digests of [
    ['a', 'b'],
    ['b', 'b'],
  ]) {
    const made = new Repeatability();
    made.round('p', ['a', 'a'], 1);
    made.round('p', digests, 2);
    assert.equal(made.phase, 'varies');
    for (let i = 0; i < 2 * SHOWN_ROUNDS; i += 1) made.round('p', ['a'], 23 * HOUR_US);
    assert.equal(made.phase, 'varies');
    for (let i = 0; i < SHOWN_ROUNDS; i += 1) made.round('p', ['a', 'a'], 25 * HOUR_US);
    assert.equal(made.phase, 'repeatable');
  }
});

test('once it was shown a server that contradicts itself does not hide by it', () => {
  const made = shown();
  made.round('p', ['answer to p', 'another'], 2);
  made.round('p', ['another', 'another'], 3);
  assert.deepEqual([made.phase, made.contradictions, made.reference('p')], ['repeatable', 1, 'answer to p']);
  for (let i = 0; i < 64; i += 1) made.round('p', ['answer to p'], 4);
  assert.equal(made.contradictions, 0, 'long ago');
  made.withdraw(5);
  assert.deepEqual([made.phase, made.reference('p')], ['varies', null]);
});

test('what is asked once is not compared with other rounds', () => {
  const made = new Repeatability();
  for (let i = 0; i < SHOWN_ROUNDS; i += 1) made.round('', [`${i}`, `${i}`], 1);
  assert.equal(made.phase, 'repeatable');
});

test('it goes on after a restart, and keeps a bounded number of answers', () => {
  const before = shown(['p', 'q']);
  const after = new Repeatability(JSON.parse(JSON.stringify(before.shown)));
  assert.deepEqual(after.shown, before.shown);
  assert.equal(after.reference('q'), 'answer to q');
  for (let i = 0; i < 100; i += 1) after.round(`prompt ${i}`, ['x'], 2);
  assert.equal(Object.keys(after.shown.references).length, 64);
});
