import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { pruneStale } from './prune-stale.mjs';
import { temporaryFolder } from './testing.mjs';

test('removes the output of removed sources and nothing else', (t) => {
  const root = temporaryFolder(t, {
    'src/kept.ts': '',
    'dist/kept.js': '',
    'dist/kept.d.ts': '',
    'dist/deep/gone.test.js': '',
    'dist/deep/gone.test.js.map': '',
    'dist/.tsbuildinfo': '',
  });
  const removed = pruneStale(path.join(root, 'src'), path.join(root, 'dist'));
  assert.deepEqual(removed.sort(), ['deep/gone.test.js', 'deep/gone.test.js.map']);
  assert.deepEqual(fs.readdirSync(path.join(root, 'dist')).sort(), ['.tsbuildinfo', 'deep', 'kept.d.ts', 'kept.js']);
});

test('a package that was never built has nothing to remove', (t) => {
  const root = temporaryFolder(t);
  assert.deepEqual(pruneStale(path.join(root, 'src'), path.join(root, 'dist')), []);
});
