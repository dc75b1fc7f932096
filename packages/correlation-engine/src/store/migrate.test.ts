import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { silentLogger } from '@sentinel/service-kit/logging';
import { eventually, startProcess, type TestDatabase, testDatabase, testServer } from '@sentinel/test-kit';
import pg from 'pg';
import { Database, type DatabaseOptions } from './connect.js';
import { migrateDown, migrateUp, schemaStatus } from './migrate.js';
import { STEPS } from './migrations.js';
import { describeSchema } from './testing/describe-schema.js';

const NAMES = Object.keys(STEPS);
const NEWEST = NAMES.at(-1) ?? '';
const MODULES = ['connect.js', 'migrate.js'].map((name) => new URL(name, import.meta.url).href);

const { skip } = await testServer('postgres');

describe('the schema of a PostgreSQL server', { skip }, () => {
  const used: TestDatabase[] = [];
  after(() => Promise.all(used.map((database) => database.drop())));
  const empty = async (): Promise<{ database: Database; url: string }> => {
    const made = await testDatabase();
    used.push(made);
    return { database: new Database(options(made.url), silentLogger()), url: made.url };
  };

  test('up, down to nothing and up again leaves the same schema', async () => {
    const { database, url } = await empty();
    assert.deepEqual(await migrateUp(database), NAMES);
    const first = await describeSchema(url);
    assert.deepEqual(await migrateDown(database, 'none'), NAMES.toReversed());
    assert.deepEqual(Object.keys(await describeSchema(url)), []);
    assert.deepEqual(await migrateUp(database), NAMES);
    assert.deepEqual(await describeSchema(url), first);
    assert.deepEqual(await migrateUp(database), []);
  });

  test('every single step can be taken back and taken again', async () => {
    const { database, url } = await empty();
    for (const name of NAMES) {
      const before = await describeSchema(url);
      assert.deepEqual(await migrateUp(database, name), [name]);
      const there = await describeSchema(url);
      assert.notDeepEqual(there, before, `${name} adds something`);
      assert.deepEqual(await migrateDown(database), [name]);
      assert.deepEqual(await describeSchema(url), before);
      await migrateUp(database, name);
      assert.deepEqual(await describeSchema(url), there);
    }
  });

  test('status tells steps that are done, that are due, and those of a newer version', async () => {
    const { database, url } = await empty();
    await migrateUp(database, NAMES[1]);
    const status = async (): Promise<string[]> => {
      const db = database.forMigration();
      const steps = await schemaStatus(db);
      await db.destroy();
      return steps.map(({ name, done, known }) => `${name.slice(0, 4)} ${done} ${known}`);
    };
    assert.deepEqual((await status()).slice(0, 3), ['0001 true true', '0002 true true', '0003 false true']);
    await migrateUp(database);
    await query(url, `insert into kysely_migration values ('9999-later', '2999-01-01')`);
    assert.equal((await status()).at(-1), '9999 true false');
    assert.deepEqual(await migrateUp(database), [], 'an older engine starts on a newer schema');
    await assert.rejects(migrateDown(database), /newer version \(9999-later\)/);
  });

  test('is not taken from under an engine that runs', async () => {
    const { database, url } = await empty();
    await migrateUp(database);
    const engine = new pg.Client({ connectionString: url });
    await engine.connect();
    await engine.query('select pg_advisory_lock($1)', [0x53454e54]);
    await assert.rejects(migrateDown(database), /a correlation engine runs on this database/);
    assert.equal((await migrateUp(database)).length, 0);
    await engine.end();
    await eventually(async () => (await migrateDown(database)).length === 1, { what: 'the step is taken back' });
  });

  test('an unknown step is named, with those that there are', async () => {
    const { database } = await empty();
    await assert.rejects(migrateUp(database, '0001'), { code: 'INVALID_ARGUMENT', field: 'to' });
    await assert.rejects(migrateDown(database, '0001'), { code: 'INVALID_ARGUMENT', field: 'to' });
  });

  test('four processes at once on an empty database take each step once', async () => {
    const { url } = await empty();
    const said = await Promise.all(Array.from({ length: 4 }, () => migrateElsewhere(url)));
    assert.deepEqual(said.flat().sort(), NAMES, 'one of them took all');
    assert.equal((await stepsOf(url)).length, NAMES.length);
  });

  test('a process killed in the middle leaves nothing behind, and the next four go on', async () => {
    const { url } = await empty();
    const rival = new pg.Client({ connectionString: url });
    await rival.connect();
    // The name is taken for as long as this transaction lives: a migration waits for it in its middle.
    await rival.query('begin');
    await rival.query('create table relay ()');
    await using migrating = await startProcess({ command: command(url) });
    await eventually(() => waitsForLock(url), { what: 'the migration waits' });
    await migrating.kill('SIGKILL');
    await rival.query('rollback');
    await rival.end();
    await eventually(async () => !(await waitsForLock(url)), { what: 'its backend is gone' });
    const said = await Promise.all(Array.from({ length: 4 }, () => migrateElsewhere(url)));
    assert.deepEqual(said.flat().sort(), NAMES);
    assert.equal((await stepsOf(url)).at(-1), NEWEST);
  });

  test("lies in the first schema of the search path, whatever another program's tables are called", async () => {
    const { url } = await empty();
    await query(
      url,
      'create schema apart; create table public.kysely_migration (name text); create table public.head ()',
    );
    const apart = new URL(url);
    apart.searchParams.set('options', '-c search_path=apart');
    const database = new Database(options(apart.href), silentLogger());
    assert.deepEqual(await migrateUp(database), NAMES);
    const rows = await query(url, `select count(*)::int as n from pg_tables where schemaname = 'apart'`);
    assert.ok(Number(rows[0]?.n) > 10);
    assert.deepEqual(await query(url, 'select * from public.kysely_migration'), []);
    assert.equal((await migrateDown(database, 'none')).length, NAMES.length);
  });
});

function options(url: string): DatabaseOptions {
  return { url, maxConnections: 4, connectTimeoutMs: 5_000, sslmode: 'disable', caFile: '' };
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows ?? [];
  } finally {
    await client.end();
  }
}

async function stepsOf(url: string): Promise<string[]> {
  return (await query(url, 'select name from kysely_migration order by name')).map(({ name }) => String(name));
}

async function waitsForLock(url: string): Promise<boolean> {
  const rows = await query(
    url,
    `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like 'create table relay%'`,
  );
  return rows.length > 0;
}

function command(url: string): [string, ...string[]] {
  const script = `const [{ Database }, { migrateUp }] = await Promise.all(${JSON.stringify(MODULES)}.map((name) => import(name)));
    const { silentLogger } = await import('@sentinel/service-kit/logging');
    const steps = await migrateUp(new Database(${JSON.stringify(options(url))}, silentLogger()));
    console.log('steps ' + JSON.stringify(steps));`;
  return [process.execPath, '--input-type=module', '-e', script];
}

/** In a process of its own. @returns the steps that it took */
async function migrateElsewhere(url: string): Promise<string[]> {
  await using migrating = await startProcess({ command: command(url) });
  const { code } = await migrating.exited;
  assert.equal(code, 0, migrating.output);
  return JSON.parse(/steps (.*)/.exec(migrating.output)?.[1] ?? '') as string[];
}
