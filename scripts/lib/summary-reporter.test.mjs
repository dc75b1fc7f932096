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
  return spawnSync(process.execPath, ['--test', `--test-reporter=${REPORTER}`, '--test-reporter-destination=stderr'], {
    cwd: folder,
    env: { ...env, SENTINEL_TEST_RESULTS: folder },
  });
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

test('a test file that declares no test counts as failed', (t) => {
  const folder = temporaryFolder(t, {
    'empty.test.mjs': 'export const nothing = 1;',
    'full.test.mjs': "import { test } from 'node:test';\ntest('passes', () => {});",
  });
  runNodeTest(folder);
  const [result] = readResults(folder);
  assert.deepEqual([result.passed, result.failed], [1, 1]);
  assert.match(result.failures[0].file, /empty\.test\.mjs$/);
});

test('a run in which all is well ends with 0', (t) => {
  const folder = temporaryFolder(t, { 'a.test.mjs': "import { test } from 'node:test';\ntest('passes', () => {});" });
  const { status, stderr } = runNodeTest(folder);
  assert.equal(status, 0);
  assert.equal(String(stderr), '');
});

test('a test file that cannot be loaded counts as failed', (t) => {
  const folder = temporaryFolder(t, { 'broken.test.mjs': 'import "./absent.mjs";' });
  assert.equal(runNodeTest(folder).status, 1);
  const [result] = readResults(folder);
  assert.equal(result.failed, 1);
  assert.equal(path.basename(result.failures[0].name), 'broken.test.mjs');
});
