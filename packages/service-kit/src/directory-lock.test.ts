import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, symlinkSync } from 'node:fs';
import { test } from 'node:test';
import { eventually, startProcess, temporaryFolder } from '@sentinel/test-kit';
import { lockDirectory } from './directory-lock.js';
import { SentinelError } from './errors.js';

test('a directory has one owner, also under another name of it, until it is released', async () => {
  await using folder = await temporaryFolder();
  mkdirSync(folder.join('data'));
  symlinkSync(folder.join('data'), folder.join('alias'));
  const lock = await lockDirectory(folder.join('data'));
  await assert.rejects(lockDirectory(folder.join('alias')), (error: unknown) => {
    assert.ok(error instanceof SentinelError);
    assert.equal(error.code, 'FAILED_PRECONDITION');
    assert.ok(error.message.includes(folder.join('alias')));
    assert.ok(error.message.includes(`process ${process.pid}`));
    return true;
  });
  await (await lockDirectory(folder.path)).release();
  await lock.release();
  await (await lockDirectory(folder.join('alias'))).release();
});

test('kill -9 of the owner frees it', async () => {
  await using folder = await temporaryFolder();
  const script = `
    import { lockDirectory } from ${JSON.stringify(new URL('./directory-lock.js', import.meta.url).href)};
    await lockDirectory(${JSON.stringify(folder.path)});
    console.log('locked');
    setInterval(() => {}, 1000);`;
  await using owner = await startProcess({
    command: [process.execPath, '--input-type=module', '-e', script],
    ready: { output: /locked/ },
  });
  await assert.rejects(lockDirectory(folder.path), /another process uses/);
  await owner.kill('SIGKILL');
  const lock = await eventually(() => lockDirectory(folder.path), { what: 'the lock is free' });
  await lock.release();
});

test('a process of another network namespace, unseen by name, holds it by flock', async () => {
  await using folder = await temporaryFolder();
  const holder = spawn('flock', ['-x', folder.path, 'sh', '-c', 'echo held; cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  await assert.rejects(lockDirectory(folder.path), /a process of another container/);
  holder.stdin.end();
  await once(holder, 'close');
  await (await lockDirectory(folder.path)).release();
});
