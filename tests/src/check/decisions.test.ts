import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareDecisions, type Decision } from './decisions.js';

const step = (device: string, from: string, to: string, eventId = `${device}-${to}`): Decision => ({
  device,
  from,
  to,
  actor: 'engine',
  eventId,
});
const SUSPECTED = step('a', 'HEALTHY', 'SUSPECT');
const QUARANTINED = step('a', 'SUSPECT', 'QUARANTINED');
const OTHER = step('b', 'HEALTHY', 'SUSPECT');

test('the same decisions agree, whatever their ids and the order between devices', () => {
  const again = [OTHER, { ...SUSPECTED, eventId: 'x' }, QUARANTINED];
  assert.deepEqual(compareDecisions([SUSPECTED, OTHER, QUARANTINED], again), { lost: [], doubled: [] });
});

test('a decision that is missing, and one that was made twice', () => {
  const missing = compareDecisions([SUSPECTED, QUARANTINED], [SUSPECTED]);
  assert.deepEqual([missing.lost.length, missing.doubled], [1, []]);
  const twice = compareDecisions([SUSPECTED, QUARANTINED], [SUSPECTED, QUARANTINED, QUARANTINED]);
  assert.deepEqual([twice.lost, twice.doubled.length], [[], 1]);
});

test('a forged decision is both: what was wanted is not there, and what is there was not wanted', () => {
  const forged = compareDecisions([SUSPECTED], [step('a', 'HEALTHY', 'QUARANTINED')]);
  assert.deepEqual([forged.lost.length, forged.doubled.length], [1, 1]);
  const foreign = compareDecisions([], [OTHER]);
  assert.deepEqual([foreign.lost, foreign.doubled.map(({ where }) => where)], [[], ['decision']]);
});

test('another actor is another decision', () => {
  const { lost } = compareDecisions([SUSPECTED], [{ ...SUSPECTED, actor: 'somebody' }]);
  assert.match(lost[0]?.what ?? '', /by somebody; undisturbed HEALTHY > SUSPECT by engine/);
});
