import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { withLock } from './lock.mjs';
import { temporaryFolder } from './testing.mjs';

const LOCK_MODULE = fileURLToPath(new URL('./lock.mjs', import.meta.url));

test('runs the work alone and leaves no file', async (t) => {
  const file = path.join(temporaryFolder(t), 'lock');
  let inside = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setImmediate(resolve));
    inside--;
  };
  let waits = 0;
  await Promise.all([1, 2, 3].map(() => withLock(file, work, () => waits++)));
  assert.equal(most, 1);
  assert.equal(waits, 2);
  assert.equal(fs.existsSync(file), false);
});

test('frees the lock when the work throws', async (t) => {
  const file = path.join(temporaryFolder(t), 'lock');
  await assert.rejects(
    withLock(file, () => Promise.reject(new Error('no')), assert.fail),
    /no/,
  );
  assert.equal(await withLock(file, async () => 7, assert.fail), 7);
});

test('takes over the lock of a process that was killed', async (t) => {
  const file = path.join(temporaryFolder(t), 'lock');
  const program = `import { withLock } from ${JSON.stringify(LOCK_MODULE)};
    await withLock(${JSON.stringify(file)}, async () => process.kill(process.pid, 'SIGKILL'), () => {});`;
  const { signal } = spawnSync(process.execPath, ['--input-type=module', '-e', program]);
  assert.equal(signal, 'SIGKILL');
  assert.equal(fs.existsSync(file), true);
  assert.equal(await withLock(file, async () => 'mine', assert.fail), 'mine');
});

test('several waiters on a dead lock still follow each other', async (t) => {
  const folder = temporaryFolder(t);
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  fs.writeFileSync(path.join(folder, 'lock'), String(dead));
  const program = `import fs from 'node:fs';
    import { withLock } from ${JSON.stringify(LOCK_MODULE)};
    for (let round = 0; round < 20; round++) await withLock('lock', async () => {
      fs.mkdirSync('inside');
      await new Promise((resolve) => setTimeout(resolve, 1));
      fs.rmdirSync('inside');
    }, () => {});`;
  const runs = [1, 2, 3].map(
    () =>
      new Promise((resolve) => {
        spawn(process.execPath, ['--input-type=module', '-e', program], { cwd: folder, stdio: 'inherit' }).on(
          'close',
          resolve,
        );
      }),
  );
  assert.deepEqual(await Promise.all(runs), [0, 0, 0]);
});
