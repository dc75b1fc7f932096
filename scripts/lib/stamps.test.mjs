import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { contentHash, filesBelow, readStamp, statHash, writeStamp } from './stamps.mjs';
import { temporaryFolder } from './testing.mjs';

test('lists wanted files, sorted, without what is built or installed', (t) => {
  const root = temporaryFolder(t, {
    'packages/b/src/b.ts': '',
    'packages/a/src/a.ts': '',
    'packages/a/dist/a.ts': '',
    'packages/a/node_modules/x/x.ts': '',
    'packages/a/README.md': '',
  });
  assert.deepEqual(
    filesBelow(root, ['packages', 'absent'], (name) => name.endsWith('.ts')),
    ['packages/a/src/a.ts', 'packages/b/src/b.ts'],
  );
});

test('a changed, added or removed file changes the stat hash; nothing else does', (t) => {
  const root = temporaryFolder(t, { 'src/a.ts': 'a', 'src/b.ts': 'b' });
  const hash = () =>
    statHash(
      root,
      filesBelow(root, ['src'], () => true),
      'salt',
    );
  const first = hash();
  assert.equal(hash(), first);
  fs.writeFileSync(path.join(root, 'src/a.ts'), 'longer');
  const changed = hash();
  assert.notEqual(changed, first);
  fs.writeFileSync(path.join(root, 'src/c.ts'), '');
  const added = hash();
  assert.notEqual(added, changed);
  fs.rmSync(path.join(root, 'src/c.ts'));
  assert.equal(hash(), changed);
});

test('touching a file leaves the content hash alone', (t) => {
  const root = temporaryFolder(t, { lock: 'one' });
  const first = contentHash(root, ['lock'], 'salt');
  fs.utimesSync(path.join(root, 'lock'), new Date(0), new Date(0));
  assert.equal(contentHash(root, ['lock'], 'salt'), first);
  assert.notEqual(contentHash(root, ['lock'], 'other machine'), first);
});

test('a stamp is what was written last, and empty before', (t) => {
  const folder = path.join(temporaryFolder(t), 'stamps');
  assert.equal(readStamp(folder, 'install'), '');
  writeStamp(folder, 'install', 'abc');
  assert.equal(readStamp(folder, 'install'), 'abc');
});
