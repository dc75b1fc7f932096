import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, type TemporaryFolder, temporaryFolder } from '@sentinel/test-kit';
import { type DataFolder, openDataFolder, SERVICES_FILE } from './data-folder.js';
import { type Installation, ORDER } from './installation.js';
import type { ProcessSpec } from './managed-process.js';
import { identify } from './process-identity.js';
import type { ServiceName } from './service-names.js';
import { ARGUMENTS_FILE, Stack } from './stack.js';

/** Writes its ready file, and its name into `ends` when asked to stop. */
const SERVICE = `
const [ready, ends, name, status] = process.argv.slice(1);
const fs = require('node:fs');
if (status !== '') { console.error(name + ' refuses'); process.exit(Number(status)); }
process.on('SIGTERM', () => { fs.appendFileSync(ends, name + ' '); process.exit(0); });
fs.writeFileSync(ready + '.new', JSON.stringify({ pid: process.pid }));
fs.renameSync(ready + '.new', ready);
setInterval(() => {}, 1000);
`;

/** An installation of three small scripts; `failing` ends at once with its exit status. */
function installation(
  temporary: TemporaryFolder,
  folder: DataFolder,
  failing: Partial<Record<ServiceName, number>> = {},
): Installation {
  const readyFile = (name: ServiceName): string => join(folder.run, `${name}.ready.json`);
  const spec = (name: ServiceName): ProcessSpec => ({
    name,
    command: [
      process.execPath,
      '-e',
      SERVICE,
      readyFile(name),
      temporary.join('ends'),
      name,
      String(failing[name] ?? ''),
    ],
    env: {},
    cwd: temporary.path,
  });
  const place = { grpc: '127.0.0.1:1', http: '127.0.0.1:2' };
  return {
    specs: { ledger: spec('ledger'), engine: spec('engine'), agent: spec('agent') },
    readyFiles: { ledger: readyFile('ledger'), engine: readyFile('engine'), agent: readyFile('agent') },
    neededPorts: [],
    metricsPorts: [],
    endpoints: { engine: place, ledger: place },
    arguments: { ledger: ['--override', 'a=b'], engine: [], agent: [] },
    metrics: { ledger: '', engine: '', agent: '' },
    warnings: [],
  };
}

const allRun = (stack: Stack): Promise<unknown> =>
  eventually(() => stack.statuses.every(({ state }) => state === 'running'), { what: 'all run' });

test('all start together, and stop in order: agent, engine, ledger', async () => {
  await using temporary = await temporaryFolder();
  const folder = openDataFolder(temporary.join('data'));
  const stack = new Stack(installation(temporary, folder), folder, () => undefined);
  stack.start();
  await allRun(stack);
  assert.deepEqual(JSON.parse(readFileSync(join(folder.run, 'endpoints.json'), 'utf8')).engine.grpc, '127.0.0.1:1');
  assert.deepEqual(JSON.parse(readFileSync(join(folder.run, ARGUMENTS_FILE), 'utf8')).ledger, ['--override', 'a=b']);
  assert.ok(ORDER.every((name) => stack.serves(name)));
  const pids = stack.statuses.map(({ pid }) => pid as number);
  const recorded = JSON.parse(readFileSync(join(folder.run, SERVICES_FILE), 'utf8')) as { pid: number }[];
  assert.deepEqual(recorded.map(({ pid }) => pid).toSorted(), pids.toSorted());

  await stack.stop();
  assert.equal(readFileSync(temporary.join('ends'), 'utf8'), 'agent engine ledger ');
  assert.deepEqual(pids.map(identify), [null, null, null]);
  assert.equal(readFileSync(join(folder.run, SERVICES_FILE), 'utf8'), '[]\n');
});

test('a service counts as running only with a ready file of its own process', async () => {
  await using temporary = await temporaryFolder();
  const folder = openDataFolder(temporary.join('data'));
  const stack = new Stack(installation(temporary, folder), folder, () => undefined);
  for (const name of ORDER) writeFileSync(join(folder.run, `${name}.ready.json`), '{"pid":1}');
  stack.start();
  await allRun(stack);
  const first = stack.statuses[1]?.pid as number;
  process.kill(first, 'SIGKILL');
  await eventually(() => !stack.serves('engine'), { what: 'the engine is gone' });
  await allRun(stack);
  assert.notEqual(stack.statuses[1]?.pid, first);
  await stack.stop();
});

test('a service with a wrong configuration is the failed one', async () => {
  await using temporary = await temporaryFolder();
  const folder = openDataFolder(temporary.join('data'));
  const stack = new Stack(installation(temporary, folder, { engine: 78 }), folder, () => undefined);
  stack.start();
  const failed = await eventually(() => stack.failed, { what: 'the engine failed' });
  assert.deepEqual([failed.name, failed.exitStatus, failed.lastWords], ['engine', 78, 'engine refuses']);
  await stack.stop();
});

test('a kill waits for nobody', async () => {
  await using temporary = await temporaryFolder();
  const folder = openDataFolder(temporary.join('data'));
  const stack = new Stack(installation(temporary, folder), folder, () => undefined);
  stack.start();
  await allRun(stack);
  const pids = stack.statuses.map(({ pid }) => pid as number);
  const stopped = stack.stop();
  await stack.kill();
  await stopped;
  assert.deepEqual(pids.map(identify), [null, null, null]);
});
