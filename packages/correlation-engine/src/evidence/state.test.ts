import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dueAt, emptyState, loadState, needsAttention, saveState } from './state.js';
import { CONFIG } from './testing/config.js';
import { deviceWith, draftOf, unitWith } from './testing/device.js';

test('saving sorts, so that equal states give equal bytes', () => {
  const [a, b] = [deviceWith('a'), deviceWith('b')];
  assert.equal(JSON.stringify(saveState(draftOf([b, a]).base)), JSON.stringify(saveState(draftOf([a, b]).base)));
});

test('an empty store gives an empty state', () => {
  assert.deepEqual(
    loadState({ config: CONFIG, devices: [], nodes: [], fleet: null, exposure: [] }),
    emptyState(CONFIG),
  );
  assert.equal(dueAt(emptyState(CONFIG)), undefined);
});

test('a healthy device without evidence or work needs no attention', () => {
  assert.equal(needsAttention(deviceWith('d')), false);
  assert.equal(needsAttention(deviceWith('d', { state: 'CONDEMNED' })), true);
  assert.equal(needsAttention(deviceWith('d', { units: [unitWith()] })), true);
});

test('the next timer is the earliest of the devices and the fleet', () => {
  const held = (id: string, dueUs: number | null) => deviceWith(id, { state: 'SUSPECT', dueUs });
  assert.equal(dueAt(draftOf([held('a', 9), held('b', 4), held('c', null)]).base), 4);
  assert.equal(dueAt(draftOf([held('a', 9)], { reviewUs: 2 }).base), 2);
});

test('a healthy device costs about a kibibyte', () => {
  assert.ok(JSON.stringify(deviceWith('CPU-6a1d2f52-0000-5000-8000-000000000000')).length < 1024);
});
