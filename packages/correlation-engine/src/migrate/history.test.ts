import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { CorrelationEngineConfig } from '@sentinel/service-kit/config';
import { connectCql } from '@sentinel/service-kit/cql/connect';
import { migrateDown, migrateUp, type SchemaPart, schemaStatus } from '@sentinel/service-kit/cql/schema-steps';
import { silentLogger } from '@sentinel/service-kit/logging';
import { type TestDatabase, testDatabase } from '@sentinel/test-kit';
import { databaseOptions } from '../settings.js';
import { Database } from '../store/connect.js';
import { StateStore } from '../store/state-store.js';
import { CASSANDRA, dropKeyspace, ownKeyspace, runCql } from '../testing/cassandra.js';
import { migrateBy } from './testing/run-migrate.js';

const STEP = '0001-records';

describe('the schema of the history in a cluster', { skip: CASSANDRA.skip }, () => {
  const scylla = ownKeyspace();
  let place: TestDatabase;
  let config: CorrelationEngineConfig;
  before(async () => {
    place = await testDatabase();
    const database = {
      postgres_url: place.url,
      sslmode: 'disable',
      max_connections: 2,
      connect_timeout_ms: 5000,
      ca_file: '',
    };
    config = { scylla, database } as CorrelationEngineConfig;
  });
  after(async () => {
    await dropKeyspace(scylla);
    await place.drop();
  });

  const migrate = (positionals: string[], flags = {}) => migrateBy(config, positionals, flags);
  const history = { history: true };

  it('goes up, says where it stands, and goes down', async () => {
    assert.deepEqual(await migrate(['up'], history), { status: 0, text: `history: ${STEP} taken\n` });
    assert.deepEqual(await migrate(['up'], history), { status: 0, text: 'history: nothing to do\n' });
    assert.deepEqual(await migrate(['status'], history), { status: 0, text: `history: ${STEP} done\n` });
    assert.deepEqual(await migrate(['down'], { ...history, yes: true }), {
      status: 0,
      text: `history: ${STEP} taken back\n`,
    });
    assert.deepEqual(await migrate(['status'], history), { status: 1, text: `history: ${STEP} missing\n` });
    await assert.rejects(runCql(scylla, 'SELECT * FROM records'), /records/);
  });

  it('takes nothing from under an engine that runs', async (t) => {
    await migrate(['up'], history);
    const engine = new StateStore(new Database(databaseOptions(config), silentLogger()), silentLogger(), () => {});
    await engine.open();
    t.after(() => engine.close());
    const refused = await migrate(['down'], { ...history, yes: true });
    assert.equal(refused.status, 1);
    assert.match(refused.text, /a correlation engine runs on this database\. Stop every engine first/);
    assert.equal((await migrate(['status'], history)).status, 0);
    await engine.close();
    const unknown = { ...config.database, postgres_url: 'postgres://u:p@127.0.0.1:1/d' };
    const blind = await migrateBy({ scylla, database: unknown }, ['down'], { ...history, yes: true });
    assert.equal(blind.status, 69, 'whether one runs is not known');
    assert.equal((await migrate(['down'], { ...history, yes: true })).status, 0);
  });

  it('refuses what is ambiguous, unknown or no command', async () => {
    assert.deepEqual(
      [(await migrate(['down'])).status, (await migrate(['sideways'])).status, (await migrate([])).status],
      [2, 2, 2],
    );
    assert.match(
      (await migrate(['up'], { ...history, to: '0000-nothing' })).text,
      /there is no step 0000-nothing.*0001-records/,
    );
  });

  it('two that migrate at once take each step once', async (t) => {
    const clients = await Promise.all([1, 2, 3].map(() => connectCql(scylla, 'correlation_engine')));
    t.after(() => Promise.all(clients.map((each) => each.shutdown())));
    const part: SchemaPart = {
      name: 'race',
      steps: ['a', 'b', 'c'].map((name) => ({
        name,
        up: [`CREATE TABLE IF NOT EXISTS race_${name} (id int PRIMARY KEY)`],
        down: [`DROP TABLE IF EXISTS race_${name}`],
      })),
    };
    const done = await Promise.all(clients.map((client) => migrateUp(client, part)));
    assert.deepEqual(done.flat().sort(), ['a', 'b', 'c'], 'none twice');
    const [client] = clients;
    assert.ok(client !== undefined);
    assert.deepEqual(await migrateDown(client, part, 'a'), ['c', 'b']);
    assert.deepEqual(
      (await schemaStatus(client, part)).map(({ done }) => done),
      [true, false, false],
    );
    const older = { ...part, steps: [] };
    await assert.rejects(migrateDown(client, older), /step a of the race schema is unknown/);
    assert.deepEqual(await schemaStatus(client, older), [{ name: 'a', done: true, known: false }]);
    assert.deepEqual(await migrateDown(client, part, 'none'), ['a']);
  });

  it('what cannot work is said with the key to change', async () => {
    const failure = async (change: Partial<typeof scylla>): Promise<unknown> => {
      const changed = { ...scylla, ...change };
      return connectCql(changed, 'correlation_engine').then(
        (client) => client.shutdown(),
        ({ code, field }: { code: string; field: string }) => `${code} ${field}`,
      );
    };
    assert.equal(
      await failure({ local_datacenter: 'elsewhere' }),
      'FAILED_PRECONDITION correlation_engine.scylla.local_datacenter',
    );
    assert.equal(
      await failure({ contact_points: ['127.0.0.1:1'] }),
      'UNAVAILABLE correlation_engine.scylla.contact_points',
    );
    assert.equal(await failure({ keyspace: 'not_there' }), 'FAILED_PRECONDITION correlation_engine.scylla.keyspace');
  });

  it('three copies on one node are refused with the way out', async () => {
    const three = { ...ownKeyspace(), replication_factor: 3 };
    const { status, text } = await migrateBy({ scylla: three } as CorrelationEngineConfig, ['up'], history);
    assert.equal(status, 69);
    assert.match(text, /too few nodes are up.*ALTER KEYSPACE/s);
    await dropKeyspace(three);
  });
});
