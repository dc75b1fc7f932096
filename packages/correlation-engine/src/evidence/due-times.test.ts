import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DueTimes } from './due-times.js';

test('nobody is due at first, nor after the last one is taken out', () => {
  const due = new DueTimes();
  assert.equal(due.earliestUs, Number.POSITIVE_INFINITY);
  due.set('a', 5);
  due.set('a', null);
  due.set('b', null);
  assert.equal(due.earliestUs, Number.POSITIVE_INFINITY);
  assert.deepEqual(due.until(9), []);
});

test('equal times keep the order of asking, and asking for the same again changes nothing', () => {
  const due = new DueTimes();
  for (const id of ['c', 'a', 'b', 'c']) due.set(id, 5);
  due.set('d', 4);
  assert.deepEqual(due.until(5), ['d', 'c', 'a', 'b']);
  due.set('c', 6);
  due.set('c', 5);
  assert.deepEqual(due.until(5), ['d', 'a', 'b', 'c']);
});

test('whatever is asked for and taken back, it says who is due', () => {
  const change = fc.record({ id: fc.nat({ max: 12 }), us: fc.option(fc.nat({ max: 20 })) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), fc.nat({ max: 20 }), (list, us) => {
      const due = new DueTimes();
      const plain = new Map<string, number>();
      for (const { id, us: at } of list) {
        due.set(String(id), at);
        if (at === null) plain.delete(String(id));
        else plain.set(String(id), at);
        assert.equal(due.earliestUs, Math.min(Number.POSITIVE_INFINITY, ...plain.values()));
        const expected = [...plain].filter((entry) => entry[1] <= us).map(([name]) => name);
        const found = due.until(us);
        assert.deepEqual([...found].sort(), expected.sort());
        assert.deepEqual(
          found.map((name) => plain.get(name)),
          found.map((name) => plain.get(name) ?? 0).sort((a, b) => a - b),
        );
      }
    }),
  );
});
