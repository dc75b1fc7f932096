import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeviceId } from './device-id.js';

test('an id is short, printable and without blanks', () => {
  for (const id of ['GPU-8f3a', 'MIG-1/2', 'CPU-78e2d5bc-25c6-5879-9b25-ad0517ea3975', 'x'.repeat(128)])
    assert.equal(isDeviceId(id), true, id);
  for (const id of ['', 'a b', 'a\n', '\0', '\u001b[31m', 'é', '\u202e', 'x'.repeat(129)])
    assert.equal(isDeviceId(id), false, JSON.stringify(id));
});
