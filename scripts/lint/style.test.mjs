import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../lib/paths.mjs';
import { temporaryFolder } from '../lib/testing.mjs';
import { runTool } from './testing.mjs';

function ci(t, text) {
  const folder = temporaryFolder(t, { 'a.ts': text });
  return runTool(
    folder,
    'biome',
    'ci',
    `--config-path=${path.join(ROOT, 'biome.json')}`,
    '--vcs-enabled=false',
    'a.ts',
  );
}

test('a clean file passes', (t) => {
  const { status, output } = ci(t, 'export const a = 1;\n');
  assert.equal(status, 0, output);
});

const BROKEN = {
  format: 'export const a   =1\n',
  'suspicious/noExplicitAny': 'export const a: any = 1;\n',
  'correctness/noUnusedVariables': 'const a = 1;\nexport {};\n',
  'correctness/noUnusedImports': "import { a } from './b.js';\n\nexport const b = 1;\n",
  'style/useNodejsImportProtocol': "import fs from 'fs';\n\nexport const a = fs;\n",
  'style/useImportType': "import { A } from './b.js';\n\nexport const a = (b: A) => b;\n",
};

for (const [rule, text] of Object.entries(BROKEN)) {
  test(`${rule} ends the command with an error`, (t) => {
    const { status, output } = ci(t, text);
    assert.notEqual(status, 0);
    assert.match(output, new RegExp(rule));
  });
}
