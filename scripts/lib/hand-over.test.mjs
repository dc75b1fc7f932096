import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { handOver } from './hand-over.mjs';

const MODULE = fileURLToPath(new URL('./hand-over.mjs', import.meta.url));

test('ends as the command ends', async () => {
  assert.equal(await handOver(process.execPath, ['-e', 'process.exit(78)']), 78);
  assert.equal(await handOver(process.execPath, ['-e', "process.kill(process.pid, 'SIGKILL')"]), 128 + 9);
});

test('a command that is not there is an error', async () => {
  await assert.rejects(handOver('/nowhere/command', []), { code: 'ENOENT' });
});

test('hands signals on and waits for the answer', async () => {
  const inner = "process.on('SIGTERM', () => process.exit(7)); setInterval(() => {}, 1000); console.log('ready');";
  const outer = `import { handOver } from ${JSON.stringify(MODULE)};
    process.exitCode = await handOver(process.execPath, ['-e', ${JSON.stringify(inner)}]);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', outer], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  const [code] = await once(child, 'close');
  assert.equal(code, 7);
});
