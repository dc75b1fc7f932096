import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { temporaryFolder } from '../temporary-folder.js';
import { onPath } from './on-path.js';

test('the first program of that name; a folder or a file that may not be run is none', async () => {
  await using folder = await temporaryFolder();
  for (const name of ['a', 'b', 'c']) mkdirSync(folder.join(name));
  mkdirSync(folder.join('a', 'tool'));
  writeFileSync(folder.join('b', 'tool'), '', { mode: 0o600 });
  writeFileSync(folder.join('c', 'tool'), '', { mode: 0o700 });
  const path = ['a', 'b', 'c'].map((name) => folder.join(name)).join(':');
  assert.equal(onPath('tool', path), folder.join('c', 'tool'));
  assert.equal(onPath('other', path), null);
  assert.equal(onPath('tool', ''), null);
});
