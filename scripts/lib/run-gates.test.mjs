import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { GATES } from './gates.mjs';
import { ROOT } from './paths.mjs';
import { runGates } from './run-gates.mjs';

const gates = [
  { script: 'first', text: 'one' },
  { script: 'second:part', text: 'two' },
];

async function runWith(answers) {
  let output = '';
  const write = (text) => {
    output += text;
  };
  const outcome = await runGates(undefined, gates, { run: async (script) => answers[script], write });
  return { ...outcome, output };
}

test('every gate is a script of package.json', () => {
  const { scripts } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  for (const { script } of GATES) assert.ok(scripts[script], script);
});

test('gates that pass say one line each', async () => {
  const good = { code: 0, tail: 'much to say' };
  const { passed, failed, notes, output } = await runWith({ first: good, 'second:part': good });
  assert.deepEqual({ passed, failed, notes }, { passed: 2, failed: 0, notes: [] });
  assert.match(output, /^ok {4}first +\d+\.\d s {2}one\nok {4}second:part +\d+\.\d s {2}two\n$/);
});

test('a failed gate shows the end of its output, names its log and stops no other', async () => {
  const long = Array.from({ length: 500 }, (_, index) => `line ${index} ${'x'.repeat(1000)}`).join('\n');
  const { passed, failed, notes, output } = await runWith({
    first: { code: 1, tail: `\u001b[31m${long}\u001b[0m` },
    'second:part': { code: 0, tail: '' },
  });
  assert.deepEqual({ passed, failed }, { passed: 1, failed: 1 });
  assert.match(notes[0], /^FAILED gate first: npm run first .*check-first\.log/);
  assert.match(output, /…\n {6}line 440 .*line 499 .*ok {4}second:part/s);
  assert.ok(output.length < 20_000);
  assert.equal(output.includes('\u001b'), false);
});

test('a gate that a signal ended has failed', async () => {
  const { failed } = await runWith({ first: { code: -1, tail: '' }, 'second:part': { code: 0, tail: '' } });
  assert.equal(failed, 1);
});
