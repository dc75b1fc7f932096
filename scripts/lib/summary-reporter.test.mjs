import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readResults } from './test-results.mjs';
import { temporaryFolder } from './testing.mjs';

const REPORTER = fileURLToPath(new URL('./summary-reporter.mjs', import.meta.url));

function runNodeTest(folder) {
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env;
  return spawnSync(
    process.execPath,
    ['--test', `--test-reporter=${REPORTER}`, '--test-reporter-destination=/dev/null'],
    {
      cwd: folder,
      env: { ...env, SENTINEL_TEST_RESULTS: folder },
    },
  );
}

test('counts tests, not suites, and keeps the reasons', (t) => {
  const folder = temporaryFolder(t, {
    'some.test.mjs': `import { describe, test } from 'node:test';
      describe('suite', () => {
        test('passes', () => {});
        test('fails', () => { throw new Error('because'); });
        test('is skipped', { skip: 'no GPU' }, () => {});
      });`,
  });
  const { status } = runNodeTest(folder);
  assert.equal(status, 1);
  const [result] = readResults(folder);
  assert.equal(result.cwd, folder);
  assert.equal(result.passed, 1);
  assert.equal(result.failed, 1);
  assert.deepEqual(
    result.skipped.map(({ name, reason }) => [name, reason]),
    [['is skipped', 'no GPU']],
  );
  assert.deepEqual(
    result.failures.map(({ name, message }) => [name, message]),
    [['fails', 'because']],
  );
});

test('a test file that cannot be loaded counts as failed', (t) => {
  const folder = temporaryFolder(t, { 'broken.test.mjs': 'import "./absent.mjs";' });
  assert.equal(runNodeTest(folder).status, 1);
  const [result] = readResults(folder);
  assert.equal(result.failed, 1);
  assert.equal(path.basename(result.failures[0].name), 'broken.test.mjs');
});
