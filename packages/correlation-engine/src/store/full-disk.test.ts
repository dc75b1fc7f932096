import assert from 'node:assert/strict';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger } from '@sentinel/service-kit/logging';
import { eventually, PostgresServer, SmallDisk, temporaryFolder, testServer } from '@sentinel/test-kit';
import { TestAgent } from '../testing/agent.js';
import { TestEngine } from '../testing/engine.js';
import { FileHistory } from './history/file-history.js';

const RECORDS = 300;
const FIRST = 20;
const FEW = 200;
/** PostgreSQL's programs, where it needs a copy of its own, its write-ahead log, and little else. */
const POSTGRES_MB = 600;
const HISTORY_MB = 2;

const { skip } = await testServer('postgres');
if (SmallDisk.missing !== null && process.env['CI'] === 'true') throw new Error(SmallDisk.missing);

describe('a full disk', { skip: SmallDisk.missing ?? skip }, () => {
  const totals = async (engine: TestEngine, device: string): Promise<number> =>
    Number(
      (await engine.sql<{ n: number }>('select sum(runs)::int as n from counters where device_id = $1', [device]))[0]
        ?.n ?? 0,
    );

  it('under PostgreSQL: nothing is acknowledged; with room again everything is applied once', async () => {
    await using folder = await temporaryFolder();
    // As root PostgreSQL is another user, who has to get there.
    chmodSync(folder.path, 0o711);
    using disk = SmallDisk.mount(folder.join('disk'), POSTGRES_MB);
    const home = join(disk.folder, 'postgres');
    mkdirSync(home);
    await using postgres = await PostgresServer.start(home, {
      settings: { max_wal_size: '64MB', min_wal_size: '32MB' },
    });
    await postgres.sql('create database evidence');
    const url = new URL(postgres.url);
    url.pathname = 'evidence';
    const engine = new TestEngine({ database: { postgres_url: url.href, sslmode: 'disable' } });
    await engine.start();
    const deliver = () => agent.deliver({ records: 20n, restMs: 20 }, () => engine.grpc);
    const agent = new TestAgent(engine.grpc, { node: 'full' }).batches(FIRST);
    await deliver();
    disk.fill();
    // Wrong results need new pages soon, and there are none.
    for (let index = FIRST; index < RECORDS; index += 1)
      agent.batch([{ index, fails: [1, 2, 3].map((sm) => ({ sm })) }]);
    const done = deliver();
    const said = () => engine.lines.filter(({ store }) => store === 'state');
    await eventually(() => said().length > 0, { what: 'it says why' });
    assert.match(String(said()[0]?.['reason']), /^the disk of the database at 127\.0\.0\.1:\d+ is full/);
    const { committedThrough } = agent.ack;
    await sleep(2_000);
    assert.ok(agent.ack.committedThrough < BigInt(RECORDS));
    assert.equal(agent.ack.committedThrough, committedThrough, 'nothing is acknowledged meanwhile');
    assert.equal((await fetch(`http://${engine.http}/health`)).status, 503);
    assert.equal(said().length, 1, 'it is said once: that it can be read from does not mean that it is back');
    disk.free();
    await done;
    assert.equal(await totals(engine, agent.device), RECORDS);
    assert.deepEqual(engine.fatal, []);
    agent.close();
    await engine.remove();
  });

  it('under the segment files of the history: decisions go on, nothing is called archived, and each record is there once', async () => {
    await using folder = await temporaryFolder();
    using disk = SmallDisk.mount(folder.join('disk'), HISTORY_MB);
    const engine = new TestEngine({ history: { url: `file://${join(disk.folder, 'history')}` } });
    await engine.start();
    const agent = new TestAgent(engine.grpc, { node: 'full' }).batches(FEW);
    await agent.connect();
    agent.sendAll(1n);
    await agent.archived(1n);
    disk.fill();
    const done = agent.deliver({ records: 20n, restMs: 20 }, () => engine.grpc);
    await agent.committed(BigInt(FEW));
    const archived = agent.ack.archivedThrough;
    assert.ok(archived < BigInt(FEW), `${archived} are archived on a full disk`);
    const health = (await (await fetch(`http://${engine.http}/health`)).json()) as { stores: { history: string } };
    assert.equal(health.stores.history, 'away');
    disk.free();
    await done;
    await engine.stop();
    const history = await FileHistory.open(join(disk.folder, 'history'), silentLogger());
    const found: number[] = [];
    for await (const { record } of history.read(agent.device, 0, null)) found.push(record.sequence);
    await history.close();
    assert.deepEqual(
      found.toReversed(),
      Array.from({ length: FEW }, (_, i) => i + 1),
    );
    agent.close();
    await engine.remove();
  });
});
