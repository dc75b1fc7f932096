import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Configured, isComparable } from './comparable.js';

const SIDECAR: Configured = { configHash: 'aa', serverHash: 'aa', model: 'tiny' };
const LIBRARY: Configured = { configHash: 'bb', serverHash: 'aa', model: 'tiny' };

test('what both servers tell decides where one of two has no library, of what is put to the servers', () => {
  for (const [one, other] of [
    [SIDECAR, LIBRARY],
    [LIBRARY, SIDECAR],
  ] as const) {
    for (const asked of ['canary', 'replay'] as const) {
      assert.equal(isComparable(one, other, asked), true);
      assert.equal(isComparable({ ...one, serverHash: 'cc' }, other, asked), false);
    }
    for (const asked of ['weights', 'block'] as const) assert.equal(isComparable(one, other, asked), false);
  }
});

test('two libraries know more than their servers', () => {
  const other = { ...LIBRARY, configHash: 'dd' };
  for (const asked of ['canary', 'replay', 'weights', 'block'] as const) {
    assert.equal(isComparable(LIBRARY, LIBRARY, asked), true);
    assert.equal(isComparable(LIBRARY, other, asked), false);
    assert.equal(isComparable(LIBRARY, { ...LIBRARY, serverHash: '' }, asked), true, 'the server has told nothing yet');
  }
});

test('what is not known is comparable with nobody', () => {
  const unknown = { configHash: '', serverHash: '', model: 'tiny' };
  const early = { configHash: 'bb', serverHash: '', model: 'tiny' };
  for (const [one, other] of [
    [unknown, unknown],
    [early, unknown],
    [early, SIDECAR],
    [SIDECAR, early],
  ] as const)
    assert.equal(isComparable(one, other, 'canary'), false);
});

test('a model without a name is called by its folder, wherever that lies; others by all of their name', () => {
  const of = (model: string) => ({ ...LIBRARY, model });
  assert.equal(isComparable(of('/a/llama'), of('/mnt/b/llama/'), 'canary'), true);
  assert.equal(isComparable(of('/a/llama'), of('/a/llama-2'), 'canary'), false);
  assert.equal(isComparable(of('one/llama'), of('two/llama'), 'canary'), false);
  assert.equal(isComparable(of(''), of('two/llama'), 'canary'), true);
});
