import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nextSlice, sliceSize } from './coverage.js';

test('any full round of periods reaches every SM', () => {
  const sms = fc.uniqueArray(fc.nat(1000), { minLength: 1, maxLength: 200 });
  const fraction = fc.double({ min: 0.001, max: 1, noNaN: true });
  fc.assert(
    fc.property(sms, fraction, fc.nat(10_000), (all, share, start) => {
      const periods = Math.ceil(all.length / sliceSize(all.length, share));
      const reached = new Set<number>();
      let cursor = start;
      for (let period = 0; period < periods; period++) {
        const slice = nextSlice(all, share, cursor);
        assert.equal(slice.sms.length, sliceSize(all.length, share));
        assert.equal(new Set(slice.sms).size, slice.sms.length);
        for (const sm of slice.sms) reached.add(sm);
        cursor = slice.cursor;
      }
      assert.equal(reached.size, all.length);
    }),
  );
});

test('a quarter of two CPUs alternates between them', () => {
  const first = nextSlice([0, 1], 0.25, 0);
  const second = nextSlice([0, 1], 0.25, first.cursor);
  assert.deepEqual([first.sms, second.sms], [[0], [1]]);
});
