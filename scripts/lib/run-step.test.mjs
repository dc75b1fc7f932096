import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { runLogged, runStep } from './run-step.mjs';
import { SetupError } from './setup-error.mjs';
import { temporaryFolder } from './testing.mjs';

function node(t, program) {
  const cwd = temporaryFolder(t);
  return { command: process.execPath, args: ['-e', program], cwd, env: process.env, log: path.join(cwd, 'log') };
}

test('keeps all output in the log and the end of it in memory', async (t) => {
  const command = node(t, "for (let i = 0; i < 40000; i++) console.log('line ' + i); console.error('last');");
  const { code, tail } = await runLogged(command);
  assert.equal(code, 0);
  assert.ok(tail.length <= 64 * 1024 + 1);
  assert.ok(tail.includes('line 39999\n'));
  assert.ok(fs.readFileSync(command.log, 'utf8').startsWith('line 0\n'));
});

test('a step that fails says so in one sentence and names its log', async (t) => {
  const command = node(t, "console.error('odd end'); process.exit(1);");
  await assert.rejects(runStep({ step: 'trying', ...command }), (error) => {
    assert.ok(error instanceof SetupError);
    assert.equal(error.message, 'Trying failed: odd end');
    assert.equal(path.resolve(error.log), command.log);
    return true;
  });
});

test('a step whose command is not there fails in the same way', async (t) => {
  const command = { ...node(t, ''), command: '/nowhere/command' };
  await assert.rejects(runStep({ step: 'trying', ...command }), /Trying failed: spawn \/nowhere\/command ENOENT/);
});

test('a command that a signal ends has failed', async (t) => {
  const { code } = await runLogged(node(t, "process.kill(process.pid, 'SIGKILL')"));
  assert.equal(code, -1);
});
