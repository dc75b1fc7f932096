import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverOf } from '../testing/server.js';
import { isInside } from './server.js';

test('the front of a sidecar is no library, of whatever version it is', () => {
  const front = { configHash: '', answers: false, model: '', gpus: [], libraryVersion: '0.1.0' };
  assert.equal(isInside(serverOf(front)), false);
  assert.equal(isInside(serverOf({ ...front, configHash: 'aa' })), true);
  assert.equal(isInside(serverOf({ ...front, answers: true })), true);
});
