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

test('the ledger says where the settings came from, and nothing for records of earlier releases', () => {
  const fleet = new Fleet();
  const files = [{ path: '/etc/sentinel/config/sentinel.yaml', sha256: 'ab', before: 'cd' }];
  const by = { cause: 'reload', host: 'engine-1', uid: 1000, user: 'sentinel', files } as const;
  const { outbox } = fleet.commit({ kind: 'config', config: configWith({}, { mode: 'observe' }), by });
  assert.deepEqual(outbox[0]?.detail.by, by);
});

test('the same settings again are no change', () => {
  const fleet = new Fleet();
  assert.deepEqual(eventNames(fleet.configure(configWith({}))), []);
});
