import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { addonPath } from '../index.js';

const root = dirname(import.meta.dirname);
const script = join(root, 'scripts', 'build.mjs');

function build(env, ...args) {
  return spawnSync(process.execPath, [script, ...args], { encoding: 'utf8', env });
}

/** A PATH that has these commands and no others. */
function pathWith(t, commands) {
  const folder = mkdtempSync(join(tmpdir(), 'build-path-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const command of commands) symlinkSync(process.execPath, join(folder, command));
  return folder;
}

test('a second build compiles nothing', () => {
  const { status, stdout } = build(process.env);
  assert.equal(status, 0);
  assert.equal(stdout, 'native-probes: up to date\n');
});

test('what is missing is said in one sentence', (t) => {
  const cases = [
    [{ PATH: pathWith(t, []) }, /^native-probes: no C\+\+17 compiler found: .*apt-get install g\+\+.*\n$/],
    [{ PATH: pathWith(t, ['g++']) }, /^native-probes: no "make" found: .*\n$/],
    [{ PATH: pathWith(t, ['g++', 'make']) }, /^native-probes: no Python 3 found: .*\n$/],
    [
      { PATH: pathWith(t, ['g++', 'make', 'python3']), SENTINEL_NODEDIR: '/nonexistent' },
      /^native-probes: no Node headers in .*SENTINEL_NODEDIR.*\n$/,
    ],
  ];
  for (const [env, message] of cases) {
    const { status, stderr } = build(env, '--force');
    assert.equal(status, 1);
    assert.match(stderr, message);
  }
  assert.ok(addonPath({ test: false }), 'and what was built is still there');
});

test('a clone compiles in a folder whose name has blanks and quotes', (t) => {
  const folder = mkdtempSync(join(tmpdir(), "my fi'les "));
  t.after(() => rmSync(folder, { recursive: true }));
  const clone = join(folder, 'native-probes');
  const isSource = (path) => !['build', 'node_modules'].includes(basename(path));
  cpSync(root, clone, { recursive: true, filter: isSource });
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));
  symlinkSync(dirname(dirname(realpathSync(process.execPath))), join(folder, 'node'));
  const env = { ...process.env, SENTINEL_NODEDIR: join(folder, 'node') };
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(clone, 'scripts', 'build.mjs')], {
    encoding: 'utf8',
    env,
  });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^native-probes: built for CPUs only; "npm run cuda" .*$/m, 'it has no CUDA toolchain');
  for (const name of ['sentinel_probes.node', 'sentinel_probes_test.node'])
    assert.ok(existsSync(join(clone, 'build', 'Release', name)), name);
});
