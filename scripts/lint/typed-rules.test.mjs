import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../lib/testing.mjs';
import { link, runTool } from './testing.mjs';

const CONFIG = fileURLToPath(new URL('./eslint.config.mjs', import.meta.url));
const TSCONFIG = {
  compilerOptions: { target: 'es2024', module: 'nodenext', strict: true, types: ['node'] },
  include: ['src'],
};
const PROMISE = 'declare function work(): Promise<void>;\n';

/** @returns {Record<string, string[]>} names of the broken rules by file, for files in packages/correlation-engine/src */
function brokenRules(t, sources) {
  const base = 'packages/correlation-engine';
  const files = Object.entries(sources).map(([name, text]) => [`${base}/src/${name}`, text]);
  const folder = temporaryFolder(t, { [`${base}/tsconfig.json`]: TSCONFIG, ...Object.fromEntries(files) });
  link(folder, 'node_modules/@types');
  const { stdout } = runTool(folder, 'eslint', '--config', CONFIG, '--format', 'json', 'packages');
  const results = JSON.parse(stdout).map(({ filePath, messages }) => [
    filePath.slice(filePath.indexOf('/src/') + '/src/'.length),
    messages.map(({ ruleId, message }) => ruleId ?? message),
  ]);
  return Object.fromEntries(results);
}

test('each rule finds its mistake', (t) => {
  const found = brokenRules(t, {
    'floating.ts': `${PROMISE}work();\nexport {};\n`,
    'misused.ts': `${PROMISE}if (work()) console.log();\nexport {};\n`,
    'thenable.ts': 'export const value = await 1;\n',
    'thrown.ts': "export function f(): never {\n  throw 'text';\n}\n",
    'rejected.ts': "export const f = () => Promise.reject('text');\n",
    'returned.ts': `${PROMISE}export async function f(): Promise<void> {\n  try {\n    return work();\n  } catch {}\n}\n`,
    'switch.ts':
      "export function f(x: 'a' | 'b'): number {\n  switch (x) {\n    case 'a':\n      return 1;\n  }\n  return 0;\n}\n",
    'silenced.ts': `${PROMISE}// eslint-disable-next-line\nwork();\nexport {};\n`,
  });
  assert.deepEqual(found['floating.ts'], ['@typescript-eslint/no-floating-promises']);
  assert.deepEqual(found['misused.ts'], ['@typescript-eslint/no-misused-promises']);
  assert.deepEqual(found['thenable.ts'], ['@typescript-eslint/await-thenable']);
  assert.deepEqual(found['thrown.ts'], ['@typescript-eslint/only-throw-error']);
  assert.deepEqual(found['rejected.ts'], ['@typescript-eslint/prefer-promise-reject-errors']);
  assert.deepEqual(found['returned.ts'], ['@typescript-eslint/return-await']);
  assert.deepEqual(found['switch.ts'], ['@typescript-eslint/switch-exhaustiveness-check']);
  assert.ok(found['silenced.ts'].includes('@typescript-eslint/no-floating-promises'), 'a comment silences nothing');
});

test('decisions know no clock, no randomness and no effect', (t) => {
  const found = brokenRules(t, {
    'evidence/clock.ts': 'export const now = () => Date.now();\n',
    'lifecycle/dice.ts': 'export const dice = () => Math.random();\n',
    'explain/timer.ts': 'export const later = (f: () => void) => setTimeout(f, 1);\n',
    'patterns/clock.ts': 'export const now = () => performance.now();\n',
    'canary/dice.ts': 'export const dice = () => Math.random();\n',
    'core.ts': "import { randomUUID } from 'node:crypto';\nexport const id = randomUUID();\n",
    'evidence/pure.ts':
      "import { hash } from 'node:crypto';\nexport const digest = (text: string) => hash('sha256', text);\n",
    'evidence/clock.test.ts': 'export const now = () => Date.now();\n',
    'store/clock.ts': 'export const now = () => Date.now();\n',
  });
  assert.deepEqual(found, {
    'canary/dice.ts': ['no-restricted-properties'],
    'core.ts': ['no-restricted-imports'],
    'evidence/clock.test.ts': [],
    'evidence/clock.ts': ['no-restricted-globals'],
    'evidence/pure.ts': [],
    'explain/timer.ts': ['no-restricted-globals'],
    'lifecycle/dice.ts': ['no-restricted-properties'],
    'patterns/clock.ts': ['no-restricted-globals'],
    'store/clock.ts': [],
  });
});

test('tests of node:test need no await', (t) => {
  const found = brokenRules(t, { 'a.test.ts': "import { test } from 'node:test';\ntest('x', () => {});\n" });
  assert.deepEqual(found, { 'a.test.ts': [] });
});
