import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { SentinelError } from '@sentinel/service-kit/errors';
import { temporaryFolder } from '@sentinel/test-kit';
import { openDataFolder } from './data-folder.js';

test('everything has its place, secrets are for their owner alone, and opening again changes nothing', async () => {
  await using temporary = await temporaryFolder();
  const folder = openDataFolder(temporary.join('with a blank'));
  assert.equal(statSync(folder.secrets).mode & 0o777, 0o700);
  for (const dir of [folder.history, folder.ledger, folder.agent, folder.run, folder.log])
    assert.ok(statSync(dir).isDirectory());
  writeFileSync(`${folder.secrets}/kept`, 'x');
  assert.deepEqual(openDataFolder(folder.root), folder);
  assert.equal(statSync(`${folder.secrets}/kept`).size, 1);
});

test('a folder that cannot be made is refused in one sentence with what to do', async () => {
  await using temporary = await temporaryFolder();
  writeFileSync(temporary.join('file'), '');
  assert.throws(
    () => openDataFolder(temporary.join('file', 'data')),
    (error) => error instanceof SentinelError && error.code === 'PERMISSION_DENIED' && /--data DIR/.test(error.hint),
  );
});

test('a disk without room is refused before anything is started', async () => {
  await using temporary = await temporaryFolder();
  assert.throws(
    () => openDataFolder(temporary.path, () => ({ bavail: 100, bsize: 4096 })),
    (error) =>
      error instanceof SentinelError &&
      error.reason === 'DISK_FULL' &&
      error.message === `the disk of the data folder ${temporary.path} is full (0 MB free, 200 MB needed)`,
  );
});
