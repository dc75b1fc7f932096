import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endsContainer } from './container.js';

test('the process that a container ends with is known, and a service of systemd or a shell is none', () => {
  assert.ok(endsContainer(0, 'node'));
  assert.ok(endsContainer(0, 'pause'));
  assert.ok(endsContainer(1, 'docker-init\n'));
  assert.ok(!endsContainer(1, 'systemd\n'));
  assert.ok(!endsContainer(1, ''));
  assert.ok(!endsContainer(4711, 'tini\n'));
});
