import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../lib/testing.mjs';
import config from './dependency-cruiser.config.mjs';
import { runTool } from './testing.mjs';

const CONFIG = fileURLToPath(new URL('./dependency-cruiser.config.mjs', import.meta.url));
const PACKAGES = [
  'contracts',
  'service-kit',
  'monitor-kit',
  'audit-ledger',
  'correlation-engine',
  'probe-agent',
  'cli',
  'test-kit',
];

/** A workspace in which every package exports `dist/index.js`, with `files` added. */
function workspace(t, files) {
  const manifests = PACKAGES.flatMap((name) => [
    [
      `packages/${name}/package.json`,
      { name: `@sentinel/${name}`, type: 'module', exports: { '.': './dist/index.js' } },
    ],
    [`packages/${name}/dist/index.js`, 'export const it = 1;\n'],
    [`packages/${name}/src/index.ts`, 'export const it = 1;\n'],
  ]);
  const folder = temporaryFolder(t, {
    ...Object.fromEntries(manifests),
    'native-probes/package.json': { name: '@sentinel/native-probes', exports: { '.': './index.js' } },
    'native-probes/index.js': 'export const it = 1;\n',
    'tests/src/helper.ts': 'export const it = 1;\n',
    ...files,
  });
  fs.mkdirSync(path.join(folder, 'node_modules/@sentinel'), { recursive: true });
  for (const name of PACKAGES)
    fs.symlinkSync(path.join(folder, 'packages', name), path.join(folder, 'node_modules/@sentinel', name));
  fs.symlinkSync(path.join(folder, 'native-probes'), path.join(folder, 'node_modules/@sentinel/native-probes'));
  return folder;
}

function violations(folder) {
  const { stdout } = runTool(folder, 'depcruise', '--config', CONFIG, '--output-type', 'json', 'packages', 'tests');
  return [...new Set(JSON.parse(stdout).summary.violations.map((violation) => violation.rule.name))].sort();
}

const use = (module) => `import { it } from '${module}';\nexport const other = it;\n`;

/** One import per rule that must break that rule and no other. */
const BROKEN = {
  'contracts-import-nothing-of-ours': { 'packages/contracts/src/a.ts': use('@sentinel/service-kit') },
  'service-kit-imports-contracts-alone': { 'packages/service-kit/src/a.ts': use('@sentinel/audit-ledger') },
  'monitor-kit-imports-no-service': { 'packages/monitor-kit/src/a.ts': use('@sentinel/audit-ledger') },
  'services-never-import-each-other': { 'packages/correlation-engine/src/api/a.ts': use('@sentinel/audit-ledger') },
  'services-import-no-tool': { 'packages/probe-agent/src/a.ts': use('@sentinel/cli') },
  'probes-belong-to-the-agent': { 'packages/correlation-engine/src/api/a.ts': use('@sentinel/native-probes') },
  'domain-does-no-input-or-output': { 'packages/correlation-engine/src/evidence/a.ts': use('node:fs') },
  'analysers-do-no-input-or-output': { 'packages/training-monitor/src/analysers/a.ts': use('node:fs') },
  'packages-meet-at-their-exports': { 'packages/cli/src/a.ts': use('../../audit-ledger/src/index.js') },
  'test-and-bench-kits-stay-out-of-products': { 'packages/cli/src/a.ts': use('@sentinel/test-kit') },
  'tests-stay-out-of-products': {
    'packages/cli/src/testing/a.ts': 'export const it = 1;\n',
    'packages/cli/src/b.ts': use('./testing/a.js'),
  },
  'no-cycles': { 'packages/cli/src/a.ts': use('./b.js'), 'packages/cli/src/b.ts': use('./a.js') },
  'imports-resolve': { 'packages/cli/src/a.ts': use('@sentinel/audit-ledger/dist/index.js') },
};

test('every rule has a violation here', () => {
  assert.deepEqual(
    Object.keys(BROKEN),
    config.forbidden.map((rule) => rule.name),
  );
});

for (const [rule, files] of Object.entries(BROKEN)) {
  test(`${rule}: broken by ${Object.keys(files).at(-1)}`, (t) => {
    assert.deepEqual(violations(workspace(t, files)), [rule]);
  });
}

test('a violation ends the command with an error', (t) => {
  const folder = workspace(t, BROKEN['no-cycles']);
  assert.notEqual(runTool(folder, 'depcruise', '--config', CONFIG, 'packages', 'tests').status, 0);
});

test('the domain may reach nothing but itself and hashes', (t) => {
  const inside = 'packages/correlation-engine/src/evidence/a.ts';
  const modules = ['pg', 'node:net', '@sentinel/contracts', '../store/b.js'];
  for (const module of modules) {
    const folder = workspace(t, {
      [inside]: use(module),
      'packages/correlation-engine/src/store/b.ts': 'export const it = 1;\n',
    });
    assert.ok(violations(folder).includes('domain-does-no-input-or-output'), module);
  }
});

test('what the architecture allows breaks no rule', (t) => {
  const folder = workspace(t, {
    'packages/service-kit/src/a.ts': use('@sentinel/contracts'),
    'packages/service-kit/src/a.test.ts': use('@sentinel/test-kit'),
    'packages/cli/src/a.ts': use('@sentinel/audit-ledger'),
    'packages/probe-agent/src/a.ts': use('@sentinel/native-probes'),
    'packages/probe-agent/src/a.test.ts': use('@sentinel/test-kit'),
    'packages/correlation-engine/src/evidence/a.ts': use('../lifecycle/b.js'),
    'packages/correlation-engine/src/lifecycle/b.ts': "import { hash } from 'node:crypto';\nexport const it = hash;\n",
    'packages/correlation-engine/src/evidence/a.test.ts': use('node:fs'),
    'tests/src/a.ts': use('@sentinel/correlation-engine'),
  });
  assert.deepEqual(violations(folder), []);
});
