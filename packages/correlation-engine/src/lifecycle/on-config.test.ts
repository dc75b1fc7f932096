import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configWith } from '../evidence/testing/config.js';
import { eventNames, Fleet } from './testing/fleet.js';

test('the ledger says which settings changed, from what to what', () => {
  const fleet = new Fleet();
  const { outbox } = fleet.configure(configWith({ dwell_small_seconds: 30 }, { mode: 'observe' }));
  assert.deepEqual(outbox[0]?.detail, {
    event: 'configuration_changed',
    changed: { 'gates.dwell_small_seconds': '10 -> 30', mode: 'enforce -> observe' },
  });
  assert.equal(fleet.state.config.mode, 'observe');
});

test('the same settings again are no change', () => {
  const fleet = new Fleet();
  assert.deepEqual(eventNames(fleet.configure(configWith({}))), []);
});
