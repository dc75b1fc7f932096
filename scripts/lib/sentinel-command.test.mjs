import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT } from './paths.mjs';
import { temporaryFolder } from './testing.mjs';

/** A clone with the launcher, what it imports, and `files`. */
function clone(t, files = {}) {
  const folder = temporaryFolder(t, files);
  for (const name of ['bin', 'scripts/lib'])
    fs.cpSync(path.join(ROOT, name), path.join(folder, name), { recursive: true });
  return folder;
}

function sentinel(folder, ...args) {
  return spawnSync(process.execPath, [path.join(folder, 'bin/sentinel.mjs'), ...args], { encoding: 'utf8' });
}

test('a clone that is not set up says what to do', (t) => {
  const { status, stderr } = sentinel(clone(t), 'status');
  assert.equal(status, 69);
  assert.equal(stderr, 'sentinel: this clone is not set up yet: run "npm start" in it first.\n');
});

test('runs the command line with its arguments and ends as it ends', (t) => {
  const folder = clone(t, {
    '.sentinel/toolchain/current.json': { node: process.execPath },
    'packages/cli/dist/main.js': 'console.log(process.argv.slice(2).join()); process.exit(78);',
  });
  const { status, stdout } = sentinel(folder, 'gpus', 'list', '--output', 'json');
  assert.deepEqual([status, stdout], [78, 'gpus,list,--output,json\n']);
});

test('what was compiled without set-up runs under this Node, if it is new enough', (t) => {
  const folder = clone(t, { 'packages/cli/dist/main.js': 'console.log(process.version);' });
  const { status, stdout } = sentinel(folder);
  assert.deepEqual([status, stdout], [0, `${process.version}\n`]);
});

test('a toolchain that is gone counts as not set up', (t) => {
  const folder = clone(t, {
    '.sentinel/toolchain/current.json': { node: '/nowhere/node' },
    'packages/cli/dist/main.js': '',
  });
  assert.equal(sentinel(folder).status, 69);
});

test("the ledger's commands mean the installation that was started last, or that of --data, or that of --config", (t) => {
  const echo = 'console.log(process.argv.slice(2).join());';
  const folder = clone(t, {
    '.sentinel/toolchain/current.json': { node: process.execPath },
    '.sentinel/run/arguments.json': { ledger: ['--config', 'a'], engine: ['--config', 'x'] },
    'other/run/arguments.json': { ledger: ['--config', 'b'] },
    'packages/audit-ledger/dist/main.js': echo,
  });
  for (const [given, taken] of [
    [['verify', '--full'], 'verify,--full,--config,a'],
    [['verify', '--data', path.join(folder, 'other'), '--full'], 'verify,--full,--config,b'],
    [['verify', '--config', 'own'], 'verify,--config,own'],
    [['verify', '--data', path.join(folder, 'none')], 'verify'],
  ]) {
    const { status, stdout } = spawnSync(
      process.execPath,
      [path.join(folder, 'bin/sentinel-audit-ledger.mjs'), ...given],
      { encoding: 'utf8' },
    );
    assert.deepEqual([status, stdout], [0, `${taken}\n`]);
  }
});
