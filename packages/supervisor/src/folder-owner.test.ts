import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SentinelError } from '@sentinel/service-kit/errors';
import { temporaryFolder } from '@sentinel/test-kit';
import { openDataFolder } from './data-folder.js';
import { takeFolder } from './folder-owner.js';

test('a folder has one owner, whom a second one names; released, it is free', async () => {
  await using temporary = await temporaryFolder();
  const folder = openDataFolder(temporary.path);
  const lock = await takeFolder(folder);
  await assert.rejects(
    takeFolder(folder),
    (error) =>
      error instanceof SentinelError &&
      error.message === `SENTINEL runs already (process ${process.pid}) with the data folder ${folder.root}` &&
      error.hint.includes(`kill ${process.pid}`),
  );
  await lock.release();
  await (await takeFolder(folder)).release();
});
