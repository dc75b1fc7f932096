import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  eventually,
  freePort,
  makeAuthority,
  PostgresServer,
  startProcess,
  temporaryFolder,
  testServer,
} from '@sentinel/test-kit';
import { TestAgent } from './testing/agent.js';
import { TestEngine } from './testing/engine.js';

const MAIN = fileURLToPath(new URL('main.js', import.meta.url));
/** A start that waits on is waited for nearly as long. */
const GIVEN_UP_MS = 7_000;
const SETTING = 'correlation_engine.database.postgres_url';

const { skip } = await testServer('postgres');

async function server(options: Parameters<typeof PostgresServer.start>[1] = {}): Promise<PostgresServer> {
  const started = await PostgresServer.start(mkdtempSync(join(tmpdir(), 'sentinel-postgres-')), options);
  await started.sql(`create role engine login password 'right'`);
  await started.sql(`create role guest login password 'right'`);
  await started.sql(`create database evidence owner engine`);
  return started;
}

function urlOf({ port }: PostgresServer, { role = 'engine', password = 'right', database = 'evidence' } = {}): string {
  return `postgres://${role}:${password}@127.0.0.1:${port}/${database}`;
}

interface Health {
  readonly status: number;
  readonly state: string;
  readonly reasons: string[];
}

async function healthAt(port: number): Promise<Health> {
  const response = await fetch(`http://127.0.0.1:${port}/health`);
  const { stores, reasons } = (await response.json()) as { stores: { state: string }; reasons: string[] };
  return { status: response.status, state: stores.state, reasons };
}

const ALONE = {};
const REPLICA = { redis: { url: 'redis://127.0.0.1:1' }, replica: { listen_address: '127.0.0.1:0' } };

describe('an engine whose PostgreSQL server is away when it starts', { skip }, () => {
  for (const [name, settings] of [
    ['alone', ALONE],
    ['a replica', REPLICA],
  ] as const)
    it(`waits, says why in a sentence for each reason, and starts once it is there: ${name}`, async () => {
      await using postgres = await server();
      // Before it ends: an engine that is quick would be connected before a limit came.
      await postgres.sql('alter role engine connection limit 0');
      await postgres.halt();
      const port = await freePort();
      const engine = new TestEngine({
        database: { postgres_url: urlOf(postgres), sslmode: 'disable' },
        http: { listen_address: `127.0.0.1:${port}` },
        ...settings,
      });
      await using _ = { [Symbol.asyncDispose]: () => engine.remove() };
      const starts = engine.start();
      starts.catch(() => {});
      const said = () => engine.lines.filter(({ level }) => level === 'error').map(({ reason }) => String(reason));
      await eventually(() => said().length === 1, { what: 'it says that nothing answers' });
      assert.match(
        said()[0] ?? '',
        new RegExp(`^no database answers at 127\\.0\\.0\\.1:${postgres.port} \\(ECONNREFUSED\\)`),
      );
      assert.equal(engine.lines.find(({ level }) => level === 'error')?.['setting'], SETTING);
      const { status, state, reasons } = await healthAt(port);
      assert.deepEqual([status, state], [503, 'away']);
      assert.match(reasons.join(), /the database is away: nothing is acknowledged: ./);
      assert.equal((await fetch(`http://127.0.0.1:${port}/api/v1/fleet`)).status, 503);

      await postgres.start();
      const full = /no connection left \(too many connections for role "engine"\)/;
      await eventually(() => said().some((reason) => full.test(reason)), {
        what: 'it says that there is no connection left',
      });
      await postgres.sql('alter role engine connection limit -1');
      await starts;
      await eventually(async () => (await healthAt(port)).status === 200, { what: 'it is well' });
      const again = said().filter((reason, i, all) => reason === all[i - 1]);
      assert.deepEqual(again, [], 'each reason once, not each try');
      const agent = new TestAgent(engine.grpc, { node: 'n1' }).batches(3);
      await agent.deliver({ records: 3n, restMs: 10 }, () => engine.grpc);
      agent.close();
    });

  /** How long a process that waits lives after SIGTERM. */
  const livesOn = async (): Promise<number> => {
    await using folder = await temporaryFolder();
    const [port, nobody] = [await freePort(), await freePort()];
    await using engine = await startProcess({
      command: command(folder.path, { postgres_url: `postgres://u:p@127.0.0.1:${nobody}/d` }, port),
    });
    await engine.printed(new RegExp(`no database answers at 127\\.0\\.0\\.1:${nobody}`));
    assert.equal((await healthAt(port)).status, 503);
    const asked = performance.now();
    assert.deepEqual(await engine.kill('SIGTERM'), { code: 0, signal: null });
    return performance.now() - asked;
  };

  it('as a process: lives while it waits, and SIGTERM ends it at once with 0', async () => {
    let ms = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < 3 && ms >= GIVEN_UP_MS; tries += 1) ms = await livesOn();
    assert.ok(ms < GIVEN_UP_MS, `${ms} ms`);
  });
});

describe('what waiting does not mend ends the start, with the setting to change', { skip }, async () => {
  if (skip !== false) return;
  const resources = new AsyncDisposableStack();
  after(() => resources.disposeAsync());
  const plain = resources.use(await server());
  const folder = resources.use(await temporaryFolder());
  const [own, other] = [await makeAuthority(folder.join('own')), await makeAuthority(folder.join('other'))];
  const secure = resources.use(await server({ tls: await own.issue('postgres') }));
  const open = { sslmode: 'disable' };

  const cases: Record<string, [settings: Record<string, string>, field: string, words: RegExp]> = {
    'no TLS there': [{ postgres_url: urlOf(plain) }, 'sslmode', /127\.0\.0\.1:\d+ has no TLS/],
    'TLS alone there': [{ postgres_url: urlOf(secure), ...open }, 'sslmode', /pg_hba.*verify-full/],
    'another authority': [{ postgres_url: urlOf(secure), ca_file: other.caFile }, 'ca_file', /is not to be trusted/],
    'a wrong password': [
      { postgres_url: urlOf(plain, { password: 'wrong' }), ...open },
      'postgres_url',
      /refuses the password of engine/,
    ],
    'no such role': [
      { postgres_url: urlOf(plain, { role: 'nobody' }), ...open },
      'postgres_url',
      /refuses the password of nobody/,
    ],
    'no such database': [
      { postgres_url: urlOf(plain, { database: 'none' }), ...open },
      'postgres_url',
      /no database none at/,
    ],
    'a role without rights': [
      { postgres_url: urlOf(plain, { role: 'guest' }), ...open },
      'postgres_url',
      /the role guest lacks a right/,
    ],
  };
  for (const [name, settings] of [
    ['alone', ALONE],
    ['a replica', REPLICA],
  ] as const)
    for (const [what, [database, field, words]] of Object.entries(cases))
      it(`${what}: ${name}`, async () => {
        const engine = new TestEngine({ database, ...settings });
        await assert.rejects(engine.start(), (error: { code: string; field: string; sentence: string }) => {
          assert.deepEqual([error.code, error.field], ['FAILED_PRECONDITION', `correlation_engine.database.${field}`]);
          assert.match(error.sentence, words);
          assert.doesNotMatch(error.sentence, /right@|wrong/, 'no password is said');
          return true;
        });
        await engine.remove();
      });

  it('as a process: status 78, as of every wrong setting', async () => {
    const database = { postgres_url: urlOf(plain, { password: 'wrong' }) };
    await using engine = await startProcess({ command: command(folder.path, database, await freePort()) });
    assert.equal((await engine.exited).code, 78, engine.output);
    assert.match(engine.output, /refuses the password of engine/);
  });
});

function command(folder: string, database: Record<string, string>, port: number): [string, ...string[]] {
  const settings = {
    database: { sslmode: 'disable', ...database },
    history: { url: `file://${folder}/history` },
    listen_address: '127.0.0.1:0',
    http: { listen_address: `127.0.0.1:${port}` },
    metrics: { enabled: false },
    tls: { enabled: false },
    operator_token: 'operator-token-for-tests',
    service_token: 'service-token-for-tests',
  };
  const file = join(folder, 'sentinel.yaml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ correlation_engine: settings }), { mode: 0o600 });
  return [process.execPath, MAIN, '--config', file];
}
