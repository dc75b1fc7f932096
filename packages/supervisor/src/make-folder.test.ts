import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { temporaryFolder } from '@sentinel/test-kit';
import { makeFolder } from './make-folder.js';

test('every missing level is made, the last one with its mode, and what exists stays', async () => {
  await using temporary = await temporaryFolder();
  const path = temporary.join('a', 'b', 'c');
  makeFolder(path, 0o700);
  assert.equal(statSync(path).mode & 0o777, 0o700);
  makeFolder(path);
  assert.equal(statSync(path).mode & 0o777, 0o700);
});

test('what cannot be made is an error: below a file, and where a file system takes no folders', async () => {
  await using temporary = await temporaryFolder();
  writeFileSync(temporary.join('file'), '');
  assert.throws(() => makeFolder(temporary.join('file')), { code: 'EEXIST' });
  assert.throws(() => makeFolder(temporary.join('file', 'data')), { code: 'EEXIST' });
  assert.throws(() => makeFolder('/proc/nothere/data'), { code: 'ENOENT' });
});
