import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT } from './paths.mjs';
import { runTests } from './run-tests.mjs';
import { temporaryFolder } from './testing.mjs';
import { locateToolchain } from './toolchain.mjs';

const PASSES = "import { test } from 'node:test';\ntest('passes', () => {});\n";
const THREE_PASS = `${PASSES}test('two', () => {});\ntest('three', () => {});\n`;

/** Runs a workspace of packages whose test files are given, through the real nx. */
async function run(t, packages, { ci = 'false', files = {}, variables = {} } = {}) {
  const sources = Object.entries(packages).flatMap(([name, text]) => [
    [
      `packages/${name}/package.json`,
      { name: `@x/${name}`, type: 'module', scripts: { test: 'node --test a.test.mjs' } },
    ],
    [`packages/${name}/a.test.mjs`, text],
  ]);
  const root = temporaryFolder(t, {
    'package.json': { name: 'root', private: true, type: 'module' },
    'pnpm-workspace.yaml': 'packages:\n  - packages/*\n',
    'nx.json': fs.readFileSync(path.join(ROOT, 'nx.json'), 'utf8'),
    ...Object.fromEntries(sources.filter(([, text]) => text !== undefined)),
    ...files,
  });
  fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(root, 'node_modules'));
  const { NODE_TEST_CONTEXT: _, SENTINEL_TEST_RESULTS: __, ...env } = process.env;
  const outcome = await runTests(locateToolchain(), [], {
    root,
    env: { ...env, ...variables, CI: ci },
    output: 'ignore',
  });
  return { ...outcome, notes: outcome.notes.map((note) => note.replaceAll(root, '')) };
}

test('adds up every package', async (t) => {
  assert.deepEqual(await run(t, { a: PASSES, b: THREE_PASS }), { passed: 4, failed: 0, notes: [] });
});

test('the tests of the whole run beside the packages, in groups that follow each other, each once', async (t) => {
  const fails = `${PASSES}test('breaks', () => { throw new Error('because'); });\n`;
  const script = 'set -f; node --test ${SENTINEL_TEST_FILES:-dist/**/*.test.js}';
  const files = {
    'pnpm-workspace.yaml': 'packages:\n  - packages/*\n  - tests\n  - scripts\n',
    'scripts/package.json': { name: '@sentinel/scripts', type: 'module', scripts: { test: 'node --test f.test.mjs' } },
    'scripts/f.test.mjs': PASSES,
    'tests/package.json': { name: '@sentinel/tests', type: 'module', scripts: { test: script } },
    'tests/dist/inference/a.test.js': fails,
    'tests/dist/inference/deeper/b.test.js': PASSES,
    'tests/dist/compose/e.test.js': PASSES,
    'tests/dist/e2e/c.test.js': THREE_PASS,
    'tests/dist/harness/none.js': '',
    'tests/dist/new/d.test.js': PASSES,
  };
  const { passed, failed, notes } = await run(t, { a: PASSES, b: PASSES }, { files });
  assert.deepEqual([passed, failed, notes.length], [10, 1, 1]);
});

test('a failing test is counted, named, and stops no other package', async (t) => {
  const fails = `${PASSES}test('breaks', () => { throw new Error('because'); });\n`;
  const { passed, failed, notes } = await run(t, { a: fails, b: PASSES });
  assert.deepEqual([passed, failed], [2, 1]);
  assert.match(notes[0], /^FAILED breaks \(.*a\.test\.mjs\): because$/);
});

test('a package whose tests end the process fails', async (t) => {
  const { failed } = await run(t, { a: `${PASSES}process.exit(3);\n`, b: PASSES });
  assert.ok(failed >= 1);
});

test('a test file that does not end, for what a test left open, is ended and fails; one that ends late by itself does not', async (t) => {
  const leaves = `${THREE_PASS}setInterval(() => {}, 1000);\n`;
  const late = `${PASSES}setTimeout(() => {}, 200);\n`;
  const variables = { SENTINEL_TEST_LINGER_MS: '5000' };
  const { passed, failed, notes } = await run(t, { a: leaves, b: late }, { variables });
  assert.deepEqual([passed, failed], [4, 1]);
  assert.match(notes.join('\n'), /a\.test\.mjs/);
});

test('a package whose test file declares no test fails', async (t) => {
  const { passed, failed, notes } = await run(t, { a: 'export const nothing = 1;\n', b: PASSES });
  assert.deepEqual([passed, failed], [1, 1]);
  assert.match(notes[0], /^FAILED a\.test\.mjs .*: it declares no test$/);
});

test('a package whose test command runs no file fails', async (t) => {
  const { passed, failed, notes } = await run(t, { a: undefined, b: PASSES });
  assert.deepEqual([passed, failed, notes], [1, 1, ['NO TEST RAN in /packages/a']]);
});

test('a package that has sources and no test command fails', async (t) => {
  const files = { 'packages/c/package.json': { name: '@x/c' }, 'packages/c/src/c.ts': '' };
  const { passed, failed, notes } = await run(t, { a: PASSES }, { files });
  assert.deepEqual([passed, failed, notes], [1, 1, ['NO TEST RAN in /packages/c']]);
});

test('a skipped test is named, and fails in CI', async (t) => {
  const skips = `${PASSES}test('gpu', { skip: 'no GPU here' }, () => {});\ntest.todo('later');\n`;
  const here = await run(t, { a: skips });
  assert.deepEqual([here.passed, here.failed], [1, 0]);
  assert.match(here.notes.join('\n'), /SKIPPED gpu \(.*\): no GPU here\nSKIPPED later/);
  const inCi = await run(t, { a: skips }, { ci: 'true' });
  assert.deepEqual([inCi.passed, inCi.failed], [1, 2]);
});

test('every package of a run finds the servers of that run', async (t) => {
  const asks = `import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
test('broker', () => assert.ok(existsSync(process.env.SENTINEL_TEST_SERVERS)));\n`;
  assert.deepEqual(await run(t, { a: asks, b: asks }), { passed: 2, failed: 0, notes: [] });
});
