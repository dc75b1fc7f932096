import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SortedWindow } from './sorted-window.js';

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return ((sorted[Math.floor(sorted.length / 2)] ?? 0) + (sorted[Math.ceil(sorted.length / 2) - 1] ?? 0)) / 2;
}

/** The upper of both middle deviations of an even number, as the window has it. */
function madOf(values: readonly number[]): number {
  const middle = medianOf(values);
  const deviations = values.map((value) => Math.abs(value - middle)).sort((a, b) => a - b);
  return deviations[Math.floor(values.length / 2)] ?? 0;
}

test('median and scale are those of the last values, whatever came before', () => {
  const values = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 20 }), (all, size) => {
      const window = new SortedWindow(size);
      for (const [k, value] of all.entries()) {
        window.push(value);
        const last = all.slice(Math.max(0, k + 1 - size), k + 1);
        assert.equal(window.median, medianOf(last));
        assert.ok(Math.abs(window.scale - 1.4826 * madOf(last)) < 1e-9, `${window.scale} of ${last}`);
      }
    }),
  );
});

test('a window that was cleared begins anew', () => {
  const window = new SortedWindow(3);
  for (const value of [1, 2, 3, 4]) window.push(value);
  window.clear();
  assert.equal(window.count, 0);
  assert.ok(Number.isNaN(window.median));
  window.push(9);
  assert.deepEqual([window.median, window.scale], [9, 0]);
});
