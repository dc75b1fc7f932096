import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { editDistance, nearest } from './nearest.js';

test('edit distance counts insertions, deletions, substitutions and swaps', () => {
  assert.equal(editDistance('prior_alfa', 'prior_alpha'), 2);
  assert.equal(editDistance('enabeld', 'enabled'), 1);
  assert.equal(editDistance('', 'abc'), 3);
});

test('edit distance is symmetric and zero only for equal words', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
      assert.equal(editDistance(a, b), editDistance(b, a));
      assert.equal(editDistance(a, b) === 0, a === b);
    }),
  );
});

test('the nearest name is suggested, and none where none is near', () => {
  assert.equal(nearest('prior_alfa', ['prior_beta', 'prior_alpha']), 'prior_alpha');
  assert.equal(nearest('Prior_Alpha', ['prior_beta', 'prior_alpha']), 'prior_alpha');
  assert.equal(nearest('dwell', ['dwell_small_seconds', 'dwell_seconds']), 'dwell_seconds');
  assert.equal(nearest('colour', ['enabled', 'level']), undefined);
  assert.equal(nearest('x'.repeat(10_000), ['enabled']), undefined);
});
