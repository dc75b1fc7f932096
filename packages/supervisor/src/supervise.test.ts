import assert from 'node:assert/strict';
import { readFileSync, realpathSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Endpoints } from '@sentinel/cli/endpoints';
import { startProcess, type TemporaryFolder, type TestProcess, temporaryFolder } from '@sentinel/test-kit';
import { identify } from './process-identity.js';

/** The real supervisor with the real services: on a busy machine a first start takes a while. */
const TIMEOUT = { timeout: 300_000 };
const READY = /Ctrl-C stops everything/;
/** Signals closer together are taken for one. */
const APART_MS = 700;
const MAIN = resolve(fileURLToPath(import.meta.url), '../main.js');

/** As root PostgreSQL's data may lie elsewhere, linked from here: it goes too. */
async function installationFolder(): Promise<TemporaryFolder> {
  const temporary = await temporaryFolder();
  const remove = async (): Promise<void> => {
    try {
      rmSync(dirname(realpathSync(temporary.join('my data', 'pg'))), { recursive: true, force: true });
    } catch {
      // It was never made.
    }
    await temporary.remove();
  };
  return { ...temporary, remove, [Symbol.asyncDispose]: remove };
}

function supervisor(temporary: TemporaryFolder, ...flags: string[]): Promise<TestProcess> {
  return startProcess({ command: [process.execPath, MAIN, '--data', temporary.join('my data'), ...flags] });
}

/** Every process of the installation that lives. */
function living(temporary: TemporaryFolder): number[] {
  const run = temporary.join('my data', 'run');
  const pids = ['ledger', 'engine', 'agent'].map((name) => readyPid(join(run, `${name}.ready.json`)));
  const pg = Number(read(temporary.join('my data', 'pg', 'postmaster.pid')).split('\n')[0]);
  return [...pids, pg].filter((pid) => pid > 0 && identify(pid) !== null);
}

function readyPid(file: string): number {
  const text = read(file);
  return text === '' ? 0 : (JSON.parse(text) as { pid: number }).pid;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

test('starts, goes on with its data, survives a kill -9 of itself, and leaves no process', TIMEOUT, async () => {
  await using temporary = await installationFolder();
  const first = await supervisor(temporary, '--free-ports');
  await first.printed(READY, 120_000);
  assert.equal(living(temporary).length, 4);

  await using second = await supervisor(temporary, '--free-ports');
  assert.equal((await second.exited).code, 1);
  assert.match(
    second.output,
    new RegExp(`^SENTINEL runs already \\(process ${first.pid}\\) with the data folder [^\\n]+\\n$`),
  );

  const killed = living(temporary);
  await first.kill('SIGKILL');
  await using third = await supervisor(temporary, '--free-ports');
  await third.printed(/Ended 3 services that a killed start had left behind/);
  await third.printed(READY, 120_000);
  assert.deepEqual(
    killed.filter((pid) => identify(pid) !== null),
    [],
  );

  const engine = readyPid(temporary.join('my data', 'run', 'engine.ready.json'));
  process.kill(engine, 'SIGKILL');
  await third.printed(/engine was ended by SIGKILL; it is started again/);
  const all = living(temporary);
  assert.equal((await third.kill('SIGINT')).code, 0);
  assert.deepEqual(
    all.filter((pid) => identify(pid) !== null),
    [],
  );
  assert.deepEqual(living(temporary), []);
});

test('a core that does not exist: one sentence with those that do, and nothing stays', TIMEOUT, async () => {
  await using temporary = await installationFolder();
  await using run = await supervisor(temporary, '--free-ports', '--inject', 'core=4096,family=fma32,rate=0.01');
  assert.equal((await run.exited).code, 2);
  assert.match(run.output, /no logical CPU 4096 here; there are 0/);
  assert.deepEqual(living(temporary), []);
});

test('a taken gRPC port: one sentence with its owner, and nothing was started', TIMEOUT, async () => {
  await using temporary = await installationFolder();
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const { port } = server.address() as { port: number };
  const override = `audit_ledger.listen_address=127.0.0.1:${port}`;
  await using run = await supervisor(temporary, '--free-ports', '--override', override);
  assert.equal((await run.exited).code, 69);
  assert.match(
    run.output,
    new RegExp(`^The ledger \\(gRPC\\) needs 127\\.0\\.0\\.1:${port}, and process ${process.pid} `),
  );
  assert.deepEqual(living(temporary), []);
  server.close();
});

test('a wrong configuration is said once and ends with 78', TIMEOUT, async () => {
  await using temporary = await installationFolder();
  await using run = await supervisor(temporary, '--override', 'probe_agent.batch_siz=8');
  assert.equal((await run.exited).code, 78);
  assert.match(run.output, /did you mean batch_size\?/);
});

test('a second Ctrl-C ends everything at once', TIMEOUT, async () => {
  await using temporary = await installationFolder();
  const run = await supervisor(temporary, '--free-ports');
  await run.printed(READY, 120_000);
  const endpoints = JSON.parse(read(temporary.join('my data', 'run', 'endpoints.json'))) as Endpoints;
  assert.match(endpoints.engine.grpc, /^127\.0\.0\.1:\d+$/);
  const all = living(temporary);
  // A stopped ledger cannot drain, so that the orderly stop waits for it.
  process.kill(readyPid(temporary.join('my data', 'run', 'ledger.ready.json')), 'SIGSTOP');
  process.kill(run.pid, 'SIGINT');
  // Of the first one's arrival, which a busy machine delays, the second keeps its distance.
  await run.printed(/^Stopping: /m);
  await new Promise((later) => setTimeout(later, APART_MS));
  assert.equal((await run.kill('SIGINT')).code, 130);
  assert.deepEqual(
    all.filter((pid) => identify(pid) !== null),
    [],
  );
});
