import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeAuthority, PostgresServer, temporaryFolder, testServer } from '@sentinel/test-kit';
import { TestAgent } from '../testing/agent.js';
import { TestEngine } from '../testing/engine.js';

const RECORDS = 150;
const ROLE = 'sentinel engine';
const PASSWORD = `p@ss:w/o#r?d %25'"\\é`;

const { skip } = await testServer('postgres');

/** One server of these tests' own, since they break it: over TLS alone, with a certificate of an authority of their own. */
async function serverWithTls() {
  const folder = mkdtempSync(join(tmpdir(), 'sentinel-postgres-'));
  const authority = await makeAuthority(join(folder, 'certificates'));
  const server = await PostgresServer.start(folder, {
    tls: await authority.issue('postgres'),
    // The second is not in the certificate.
    settings: { listen_addresses: '127.0.0.1,127.0.0.2' },
  });
  await server.sql(`create role "${ROLE}" login password '${PASSWORD.replaceAll("'", "''")}'`);
  await server.sql(`create database engine owner "${ROLE}"`);
  return { server, caFile: authority.caFile };
}

describe('an engine on a PostgreSQL server over TLS', { skip }, async () => {
  if (skip !== false) return;
  const resources = new AsyncDisposableStack();
  after(() => resources.disposeAsync());
  const { server, caFile } = await serverWithTls();
  resources.use(server);
  const url = (host: string): string =>
    `postgres://${encodeURIComponent(ROLE)}:${encodeURIComponent(PASSWORD)}@${host}:${server.port}/engine`;
  const engineOn = (host: string, database: Record<string, unknown> = {}): TestEngine => {
    const engine = new TestEngine({
      database: { postgres_url: url(host), sslmode: 'verify-full', ca_file: caFile, ...database },
    });
    resources.defer(() => engine.remove());
    return engine;
  };
  const engine = engineOn('localhost');

  const runs = async (device: string): Promise<number> => {
    const [row] = await server.sql(
      `select sum(runs)::int as runs from counters where device_id = '${device}'`,
      'engine',
    );
    return Number(row?.runs ?? 0);
  };
  const spool = (node: string): TestAgent => {
    return new TestAgent(engine.grpc, { node }).batches(RECORDS);
  };
  const deliver = async (agent: TestAgent): Promise<void> => {
    await agent.deliver({ records: 10n, restMs: 60 }, () => engine.grpc);
    agent.close();
  };

  test('a certificate of another authority, and one of another name, are refused', async () => {
    await using elsewhere = await temporaryFolder();
    const { caFile: other } = await makeAuthority(elsewhere.path);
    await assert.rejects(engineOn('localhost', { ca_file: other }).start(), /certificate/);
    await assert.rejects(engineOn('127.0.0.2').start(), /altname|does not match/i);
    await assert.rejects(engineOn('localhost', { sslmode: 'disable' }).start(), /pg_hba/);
  });

  test('writes what an agent says, exactly once', async () => {
    await engine.start();
    const agent = spool('quiet');
    await deliver(agent);
    assert.equal(await runs(agent.device), RECORDS);
  });

  const troubles: Record<string, { begin: () => Promise<unknown>; end: () => Promise<unknown> }> = {
    'its backends are terminated': {
      begin: () => server.sql(`select pg_terminate_backend(pid) from pg_stat_activity where usename = '${ROLE}'`),
      end: async () => {},
    },
    'the server is killed and started again': {
      begin: () => server.halt('kill -9'),
      end: () => server.start(),
    },
    'the server becomes read-only, as a replica after a failover': {
      begin: async () => {
        await server.sql(`alter database engine set default_transaction_read_only = on`);
        await server.sql(`select pg_terminate_backend(pid) from pg_stat_activity where usename = '${ROLE}'`);
      },
      end: async () => {
        await server.sql(`alter database engine reset default_transaction_read_only`);
      },
    },
    'the server has no connection left': {
      begin: async () => {
        await server.sql(`alter role "${ROLE}" connection limit 0`);
        await server.sql(`select pg_terminate_backend(pid) from pg_stat_activity where usename = '${ROLE}'`);
      },
      end: () => server.sql(`alter role "${ROLE}" connection limit -1`),
    },
  };
  for (const [at, [what, { begin, end }]] of Object.entries(troubles).entries()) {
    test(`nothing is lost and nothing doubled while ${what}`, async () => {
      const agent = spool(`trouble-${at}`);
      const first = deliver(agent);
      await sleep(30);
      await begin();
      // However long it took to begin: there is more to say while it lasts.
      agent.batches(RECORDS);
      const done = first.then(() => deliver(agent));
      await sleep(300);
      await end();
      await done;
      assert.equal(await runs(agent.device), 2 * RECORDS);
      assert.deepEqual(engine.fatal, []);
    });
  }
});
