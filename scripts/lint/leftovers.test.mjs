import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../lib/paths.mjs';
import { temporaryFolder } from '../lib/testing.mjs';
import { runTool } from './testing.mjs';

function findings(t, files) {
  const folder = temporaryFolder(t, {
    'package.json': { name: 'root', private: true, type: 'module' },
    'pnpm-workspace.yaml': 'packages:\n  - packages/*\n',
    'packages/a/package.json': { name: '@x/a', type: 'module', scripts: {} },
    'packages/a/src/main.ts': "import { used } from './used.js';\nconsole.log(used);\n",
    'packages/a/src/used.ts': 'export const used = 1;\n',
    ...files,
  });
  const config = path.join(ROOT, 'knip.jsonc');
  return runTool(folder, 'knip', '--config', config, '--no-progress', '--no-config-hints', '--reporter', 'compact');
}

test('a package without leftovers passes', (t) => {
  const { status, output } = findings(t, {});
  assert.equal(status, 0, output);
});

test('a file that nothing imports', (t) => {
  const { status, output } = findings(t, { 'packages/a/src/forgotten.ts': 'export const it = 1;\n' });
  assert.notEqual(status, 0);
  assert.match(output, /Unused files \(1\)\n.*forgotten\.ts/);
});

test('an export that nothing imports', (t) => {
  const { status, output } = findings(t, {
    'packages/a/src/used.ts': 'export const used = 1;\nexport const spare = 2;\n',
  });
  assert.notEqual(status, 0);
  assert.match(output, /Unused exports \(1\)\n.*spare/);
});

test('a dependency that nothing imports, and one that is not declared', (t) => {
  const { status, output } = findings(t, {
    'packages/a/package.json': { name: '@x/a', type: 'module', dependencies: { pg: '1.0.0' } },
    'packages/a/src/used.ts': "import yaml from 'yaml';\nexport const used = yaml;\n",
  });
  assert.notEqual(status, 0);
  assert.match(output, /Unused dependencies \(1\)\n.*pg/);
  assert.match(output, /Unlisted dependencies \(1\)\n.*yaml/);
});
