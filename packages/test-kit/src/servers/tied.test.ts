import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../eventually.js';
import { startProcess } from '../start-process.js';
import { tie } from './tied.js';

const IGNORES_TERM = 'trap "" TERM; echo ready; while :; do sleep 0.1; done';

test('a released server has ended and its folder is gone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sentinel-tied-'));
  const server = spawn('sleep', ['60']);
  const ended = once(server, 'exit');
  const { release } = tie({ pid: server.pid ?? 0, folder, signal: 'TERM' });
  await release();
  assert.deepEqual(await ended, [null, 'SIGTERM']);
  assert.equal(existsSync(folder), false);
  await release();
});

test('a server does not outlive a process that was killed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sentinel-tied-'));
  const script = `
    import { spawn } from 'node:child_process';
    import { tie } from ${JSON.stringify(new URL('tied.js', import.meta.url).href)};
    const server = spawn('sleep', ['60'], { detached: true });
    tie({ pid: server.pid, folder: ${JSON.stringify(folder)}, signal: 'TERM' });
    console.log('server ' + server.pid);
    setInterval(() => {}, 1000);`;
  await using owner = await startProcess({
    command: [process.execPath, '--input-type=module', '-e', script],
    ready: { output: /server \d+/ },
  });
  const pid = Number(/server (\d+)/.exec(owner.output)?.[1]);
  assert.ok(isAlive(pid));
  await owner.kill('SIGKILL');
  await eventually(() => !existsSync(folder), { what: 'the folder is removed' });
  assert.equal(isAlive(pid), false);
});

test('a dropped tie ends nothing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sentinel-tied-'));
  await using server = await startProcess({ command: ['sleep', '60'] });
  const { drop, release } = tie({ pid: server.pid, folder, signal: 'TERM' });
  drop();
  await release();
  assert.ok(isAlive(server.pid));
  assert.ok(existsSync(folder));
  rmSync(folder, { recursive: true });
});

test('a server that does not listen is killed', { timeout: 30_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sentinel-tied-'));
  await using server = await startProcess({ command: ['sh', '-c', IGNORES_TERM], ready: { output: /ready/ } });
  await tie({ pid: server.pid, folder, signal: 'TERM' }).release();
  assert.deepEqual(await server.exited, { code: null, signal: 'SIGKILL' });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
