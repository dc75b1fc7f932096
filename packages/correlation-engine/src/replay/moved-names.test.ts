import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MovedNames } from './moved-names.js';

const names = () => new MovedNames();

test('rows are under their own id, or under the one that they move to later; each hardware under its own', () => {
  const moving = names();
  assert.equal(moving.nameOf('E', 'E'), 'E');
  assert.equal(moving.nameOf('D', 'D@1'), 'D@1');
  assert.equal(moving.nameOf('D', 'D@1'), 'D@1');
  assert.equal(moving.moved('D', 'D@1', 7), undefined);
  assert.equal(moving.nameOf('D', 'D@2'), 'D@2');
  assert.equal(moving.moved('D', 'D@2', 9), undefined);
  assert.equal(moving.nameOf('D', 'D'), 'D');
  assert.equal(moving.finish(), undefined);
});

test('an id that no device moved to is not believed, nor a second one for the same hardware', () => {
  const moving = names();
  assert.equal(moving.nameOf('D', 'X'), 'D');
  assert.equal(moving.nameOf('D', 'D@1'), 'D@1');
  assert.equal(moving.nameOf('D', 'D'), 'D@1');
});

test('rows that stand under the id of other hardware are found when it is replaced, and at the end', () => {
  const early = names();
  early.nameOf('D', 'D@2');
  assert.deepEqual(early.moved('D', 'D@1', 7), {
    what: 'rows of D, replaced by record 7',
    commitSeq: 7,
    path: 'device',
    stored: 'D@2',
    replayed: 'D@1',
  });
  const late = names();
  late.nameOf('D', 'D@1');
  assert.deepEqual([late.finish()?.stored, late.finish()?.replayed], ['D@1', 'D']);
});
