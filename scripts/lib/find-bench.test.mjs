import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { findBenches } from './find-bench.mjs';
import { temporaryFolder } from './testing.mjs';

test('benchmarks are the compiled modules of the bench folders, by file name', (t) => {
  const root = temporaryFolder(t, {
    'tests/dist/bench/crash.js': '',
    'tests/dist/bench/crash.test.js': '',
    'tests/dist/bench/crash.d.ts': '',
    'packages/engine/dist/bench/ingest.js': '',
    'packages/engine/dist/ingest.js': '',
    'packages/never-built/package.json': '',
  });
  const found = findBenches(root);
  assert.deepEqual([...found.keys()].sort(), ['crash', 'ingest']);
  assert.equal(found.get('ingest'), path.join(root, 'packages/engine/dist/bench/ingest.js'));
});
