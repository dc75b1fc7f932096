import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import pg from 'pg';
import { makeAuthority } from '../certificates.js';
import { temporaryFolder } from '../temporary-folder.js';
import { PostgresServer } from './postgres.js';
import { testDatabase } from './test-database.js';

const folder = (): string => mkdtempSync(join(tmpdir(), 'sentinel-postgres-test-'));

describe('a PostgreSQL server of a test', () => {
  test('keeps what was committed through a crash and a restart', async () => {
    await using server = await PostgresServer.start(folder());
    await server.sql('create table t as select 7 as n');
    for (const how of ['kill -9', 'immediate', 'fast'] as const) {
      await server.halt(how);
      await assert.rejects(server.sql('select'), /ECONNREFUSED/);
      await server.start();
      assert.deepEqual(await server.sql('select n from t'), [{ n: 7 }]);
    }
  });

  test('with a certificate it refuses plaintext', async () => {
    await using certificates = await temporaryFolder();
    const authority = await makeAuthority(certificates.path);
    await using server = await PostgresServer.start(folder(), { tls: await authority.issue('postgres') });
    await assert.rejects(new pg.Client({ connectionString: server.url }).connect(), /pg_hba/);
    assert.deepEqual(await server.sql('select ssl from pg_stat_ssl where pid = pg_backend_pid()'), [{ ssl: true }]);
  });
});

test('databases of tests are apart, their roles are no superusers and have passwords of special characters', async () => {
  await using first = await testDatabase();
  await using second = await testDatabase();
  const client = new pg.Client({ connectionString: first.url });
  await client.connect();
  try {
    await client.query('create table t ()');
    const { rows } = await client.query(
      'select current_user as name, rolsuper from pg_roles where rolname = current_user',
    );
    assert.deepEqual(rows, [{ name: first.name, rolsuper: false }]);
    const elsewhere = new URL(first.url);
    elsewhere.pathname = second.name;
    elsewhere.password = 'wrong';
    await assert.rejects(new pg.Client({ connectionString: elsewhere.href }).connect(), /password/);
  } finally {
    await client.end();
  }
  await first.drop();
  await assert.rejects(new pg.Client({ connectionString: first.url }).connect());
});
