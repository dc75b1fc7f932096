import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '@sentinel/test-kit';
import { openDataFolder, SERVICES_FILE } from './data-folder.js';
import { endLeftovers, endPostgres, recordServices } from './leftovers.js';

const FOREVER = 'setInterval(() => {}, 1000)';

test('services that a killed supervisor recorded are ended, and no process that only has their pid', async () => {
  await using temporary = await temporaryFolder();
  const folder = openDataFolder(temporary.path);
  const [ours, another] = [spawn(process.execPath, ['-e', FOREVER]), spawn(process.execPath, ['-e', FOREVER])];
  const ended = once(ours, 'exit');
  recordServices(folder, [ours.pid as number]);
  assert.equal(await endLeftovers(folder), 1);
  await ended;
  assert.equal(await endLeftovers(folder), 0);

  writeFileSync(join(folder.run, SERVICES_FILE), JSON.stringify([{ pid: another.pid, startTicks: '1' }]));
  assert.equal(await endLeftovers(folder), 0);
  assert.equal(another.exitCode, null);
  another.kill();
});

test('no record, a broken one, no database', async () => {
  await using temporary = await temporaryFolder();
  const folder = openDataFolder(temporary.path);
  assert.equal(await endLeftovers(folder), 0);
  writeFileSync(join(folder.run, SERVICES_FILE), '{ half');
  assert.equal(await endLeftovers(folder), 0);
  assert.equal(await endPostgres(folder), false);
});

test('a postmaster.pid with the pid of somebody else ends nobody', async () => {
  await using temporary = await temporaryFolder();
  const folder = openDataFolder(temporary.path);
  const child = spawn(process.execPath, ['-e', FOREVER]);
  writeFileSync(join(temporary.path, 'postmaster.pid'), `${child.pid}\n`);
  assert.equal(await endPostgres({ ...folder, pg: temporary.path }), false);
  assert.equal(child.exitCode, null);
  child.kill();
});
