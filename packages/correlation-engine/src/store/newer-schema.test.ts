import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { silentLogger } from '@sentinel/service-kit/logging';
import { testDatabase, testServer } from '@sentinel/test-kit';
import { RunKind } from '../core.js';
import { TestAgent } from '../testing/agent.js';
import { TestEngine } from '../testing/engine.js';
import { Database } from './connect.js';
import { migrateUp } from './migrate.js';

const { skip } = await testServer('postgres');

describe('this engine on the schema of the next version', { skip }, () => {
  const resources = new AsyncDisposableStack();
  after(() => resources.disposeAsync());

  test('decides, restarts and shows what it decided, though every table has columns that it does not know', async () => {
    const database = resources.use(await testDatabase());
    await migrateUp(
      new Database(
        { url: database.url, maxConnections: 2, connectTimeoutMs: 5000, sslmode: 'disable', caFile: '' },
        silentLogger(),
      ),
    );
    const engine = new TestEngine({
      allow_test_builds: true,
      database: { postgres_url: database.url, sslmode: 'disable' },
    });
    resources.defer(() => engine.remove());
    const tables = await engine.sql<{ tablename: string }>(
      `select tablename from pg_tables where schemaname = 'public' and tablename not like 'kysely%'`,
    );
    for (const { tablename } of tables) {
      await engine.sql(
        `alter table ${tablename} add column later_text text, add column later_rule bigint not null default 7`,
      );
    }
    await engine.sql('create table later (id int primary key)');
    await engine.sql(`insert into kysely_migration values ('9999-later', '2999-01-01')`);

    await engine.start();
    await decide(engine);
    await engine.stop();
    await engine.start();
    const [transition] = await engine.sql(`select later_rule::int as rule from transitions where to_state = 'SUSPECT'`);
    assert.deepEqual(transition, { rule: 7 }, "the newer version's default holds in the rows of this one");
    const [device] = await engine.sql(`select state from devices where id = 'CPU-one'`);
    assert.notEqual(device?.state, 'HEALTHY');
  });
});

/** A mismatch, the burst that it asks for, an order of an operator's. */
async function decide(engine: TestEngine): Promise<void> {
  const agent = new TestAgent(engine.grpc, { node: 'one', testBuild: true });
  await agent.connect();
  agent.sendAll(agent.batch([{}, { index: 1, fails: [{ sm: 1 }] }]));
  await agent.until(() => agent.messages.some((message) => message.$case === 'directive'));
  for (let i = 2; i < 40; i += 1) {
    const fails = i % 5 === 0 ? { fails: [{ sm: 1 }] } : {};
    agent.sendAll(agent.batch([{ kind: RunKind.BURST, single: 1, index: i, ...fails }]));
  }
  await agent.archived(BigInt(agent.payloads.length));
  agent.close();
}
