import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CanaryFacts, NO_CANARIES } from './facts.js';
import { movedCanaries } from './moved.js';

const member = (deviceId: string) => ({ deviceId, node: 'n', directiveId: `d-${deviceId}`, answer: null });
const edge = (a: string, b: string) => ({ a, b, agreed: 2, disagreed: 1, lastUs: 7 });
const FACTS: CanaryFacts = {
  ...NO_CANARIES,
  cursor: 'B',
  tieBreaks: [
    { deviceId: 'A', firstUs: 1, count: 2 },
    { deviceId: 'B', firstUs: 1, count: 1 },
  ],
  open: [
    {
      id: '1',
      family: 1,
      cohort: 'c',
      epoch: 1,
      index: 1,
      openedUs: 1,
      dueUs: 2,
      suspect: 'B',
      members: [member('A'), member('B'), member('C')],
    },
  ],
  closed: [
    {
      id: '0',
      family: 1,
      gpus: ['A', 'B', 'C'],
      outcome: 'DISSENT',
      dissenters: ['B'],
      silent: [],
      openedUs: 0,
      closedUs: 1,
    },
  ],
  trust: { c: [edge('A', 'B'), edge('A', 'C'), edge('B', 'C')], d: [edge('B', 'D')] },
};

test('every place that names the device names it by its new id, and nothing else changes', () => {
  const text = JSON.stringify({ ...FACTS, cursor: '' }).replaceAll('"B"', '"B@1"');
  const moved = movedCanaries(FACTS, 'B', 'B@1');
  assert.equal(JSON.stringify({ ...moved, cursor: '' }), text);
  assert.deepEqual(movedCanaries(FACTS, 'Z', 'Z@1'), FACTS);
});

test('an edge whose ends change their order is found all the same', () => {
  const { trust } = movedCanaries(FACTS, 'A', 'X@1');
  assert.deepEqual(
    trust['c']?.map(({ a, b }) => a + b),
    ['BX@1', 'CX@1', 'BC'],
  );
});
