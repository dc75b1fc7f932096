import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { temporaryFolder } from './temporary-folder.js';

test('a temporary folder is empty, of its own, and gone afterwards with what is in it', async () => {
  let path: string;
  {
    await using folder = await temporaryFolder();
    await using other = await temporaryFolder();
    path = folder.path;
    assert.notEqual(other.path, path);
    mkdirSync(folder.join('a', 'b'), { recursive: true });
    writeFileSync(folder.join('a', 'b', 'file'), 'x');
  }
  assert.equal(existsSync(path), false);
});

test('a temporary folder that is already gone is no error', async () => {
  await using folder = await temporaryFolder();
  await folder.remove();
});
