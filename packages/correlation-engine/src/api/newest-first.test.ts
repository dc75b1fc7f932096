import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newestFirst } from './newest-first.js';

const row = (commit_seq: number, from_state: string, to_state: string) => ({ commit_seq, from_state, to_state });

test('changes of one commit follow from each other, however they were read', () => {
  const begun = row(9, 'QUARANTINED', 'DEEP_TEST');
  const passed = row(9, 'DEEP_TEST', 'HEALTHY');
  const before = row(4, 'SUSPECT', 'QUARANTINED');
  for (const rows of [
    [begun, passed, before],
    [passed, begun, before],
  ])
    assert.deepEqual(newestFirst(rows, 'HEALTHY'), [passed, begun, before]);
});

test('what does not follow keeps its place, and nothing is left out', () => {
  const rows = [row(3, 'HEALTHY', 'SUSPECT'), row(2, 'QUARANTINED', 'HEALTHY'), row(1, 'HEALTHY', 'SUSPECT')];
  assert.deepEqual(newestFirst(rows, 'CONDEMNED'), rows);
  assert.deepEqual(newestFirst([], 'HEALTHY'), []);
});
