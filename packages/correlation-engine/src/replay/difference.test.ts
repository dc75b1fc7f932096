import assert from 'node:assert/strict';
import { it } from 'node:test';
import { firstDifference } from './difference.js';

it('names the first place where two values differ', () => {
  const stored = { id: 'a', units: [{ sm: 1, counted: 2 }], note: '' };
  assert.equal(firstDifference(stored, structuredClone(stored)), undefined);
  assert.deepEqual(firstDifference(stored, { ...stored, units: [{ sm: 1, counted: 3 }] }), {
    path: 'units[0].counted',
    stored: '2',
    replayed: '3',
  });
  assert.deepEqual(firstDifference(stored, { ...stored, units: [] }), {
    path: 'units[0]',
    stored: '{"sm":1,"counted":2}',
    replayed: '(absent)',
  });
  assert.equal(firstDifference(stored, null)?.path, '(value)');
  assert.equal(firstDifference([], {})?.path, '(value)');
});

it('the order of members counts, for what is promised are the same bytes', () => {
  const order = { stored: 'a b', replayed: 'b a' };
  assert.deepEqual(firstDifference({ a: 1, b: 2 }, { b: 2, a: 1 }), { path: '(order of members)', ...order });
  const inside = firstDifference({ x: [0, { a: 1, b: 2 }] }, { x: [0, { b: 2, a: 1 }] });
  assert.deepEqual(inside, { path: 'x[1] (order of members)', ...order });
});
