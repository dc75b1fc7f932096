import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../lib/paths.mjs';
import { temporaryFolder } from '../lib/testing.mjs';
import { link, runTool } from './testing.mjs';

const CONTRACTS = 'packages/contracts';
const PROBE = 'proto/sentinel/v1/probe.proto';

/** The contract with `change` made to probe.proto, under the gate of the real one. */
function lintAfter(t, change) {
  const { scripts } = JSON.parse(fs.readFileSync(path.join(ROOT, CONTRACTS, 'package.json'), 'utf8'));
  const folder = temporaryFolder(t);
  fs.cpSync(path.join(ROOT, 'proto'), path.join(folder, 'proto'), { recursive: true });
  for (const name of ['baseline.binpb', 'node_modules']) link(folder, path.join(CONTRACTS, name));
  const source = path.join(folder, PROBE);
  fs.writeFileSync(source, change(fs.readFileSync(source, 'utf8')));
  return runTool(path.join(folder, CONTRACTS), 'sh', '-c', `PATH=node_modules/.bin:$PATH; ${scripts.lint}`);
}

test('the contract as it is passes', (t) => {
  const { status, output } = lintAfter(t, (text) => text);
  assert.equal(status, 0, output);
});

test('a new message breaks nothing', (t) => {
  const { status, output } = lintAfter(t, (text) => `${text}\nmessage Added {\n  bytes payload = 1;\n}\n`);
  assert.equal(status, 0, output);
});

test('another number for a field is a breaking change', (t) => {
  const { status, output } = lintAfter(t, (text) => text.replace(/^( {2}\w+ \w+) = \d+;$/m, '$1 = 1999;'));
  assert.notEqual(status, 0);
  assert.match(output, /Previously present field/);
});

test('a name against the style is refused', (t) => {
  const { status, output } = lintAfter(t, (text) => `${text}\nmessage added {\n  bytes payload = 1;\n}\n`);
  assert.notEqual(status, 0);
  assert.match(output, /PascalCase/);
});

test('unformatted text is refused', (t) => {
  const { status } = lintAfter(t, (text) => `${text}\nmessage Added { bytes payload=1; }\n`);
  assert.notEqual(status, 0);
});
