import assert from 'node:assert/strict';
import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger } from '@sentinel/service-kit/logging';
import { eventually } from '@sentinel/test-kit';
import { AwayHistory } from '../store/history/away-history.js';
import { FileHistory } from '../store/history/file-history.js';
import type { HistoryStore } from '../store/history/history-store.js';
import { TestAgent } from '../testing/agent.js';
import { TestEngine } from '../testing/engine.js';

const RECORDS = 400;

describe('nothing acknowledged is lost, nothing is counted twice', () => {
  const engine = new TestEngine();
  /** Failing appends to inject. */
  const trouble = { appends: 0 };
  const openHistory = async (): Promise<HistoryStore> => {
    const history = await FileHistory.open(join(engine.folder, 'history'), silentLogger());
    const append = history.append.bind(history);
    history.append = async (records) => {
      if (trouble.appends > 0) {
        trouble.appends -= 1;
        throw new Error('the disk is on holiday');
      }
      await append(records);
    };
    return history;
  };
  const start = () => engine.start({ openHistory });
  before(start);
  after(() => engine.remove());

  const runs = async (device: string): Promise<number> => {
    const [row] = await engine.sql<{ runs: string }>('select sum(runs) as runs from counters where device_id = $1', [
      device,
    ]);
    return Number(row?.runs ?? 0);
  };
  const deliver = (agent: TestAgent): Promise<void> => agent.deliver({ records: 50n, restMs: 1 }, () => engine.grpc);
  const spool = (node: string, records = RECORDS): TestAgent => {
    return new TestAgent(engine.grpc, { node }).batches(records);
  };
  const historyOf = async (agent: TestAgent): Promise<number[]> => {
    const spoolId = agent.spoolId.toString('hex');
    const found: number[] = [];
    const history = await FileHistory.open(join(engine.folder, 'history'), silentLogger());
    for await (const { record } of history.read(agent.device, 0, null))
      if (record.spoolId === spoolId) found.push(record.sequence);
    await history.close();
    return found.toReversed();
  };
  const inOrder = Array.from({ length: RECORDS }, (_, i) => i + 1);

  it('what was called archived is so after a start without the history', async () => {
    const agent = spool('history-away', 5);
    await deliver(agent);
    await engine.stop();
    await engine.start({ openHistory: () => Promise.resolve(new AwayHistory(new Error('not there'))) });
    const { committedThrough, archivedThrough } = await agent.connect(engine.grpc);
    assert.deepEqual([committedThrough, archivedThrough], [5n, 5n]);
    agent.batch();
    agent.sendAll(6n);
    await agent.committed(6n);
    assert.equal(agent.ack.archivedThrough, 5n);
    await engine.stop();
    await start();
    await deliver(agent);
    agent.close();
    await engine.stop();
    assert.deepEqual(await historyOf(agent), [1, 2, 3, 4, 5, 6]);
    await start();
  });

  it('through killed database connections', async () => {
    const agent = spool('pg-backends');
    const done = deliver(agent);
    for (let i = 0; i < 5; i += 1) {
      await sleep(30);
      await engine.sql(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'sentinel-correlation-engine'`,
      );
    }
    await done;
    assert.equal(await runs(agent.device), RECORDS);
    agent.close();
  });

  it('through a killed database server, which is started again', async () => {
    const agent = spool('postmaster');
    const done = deliver(agent);
    await sleep(40);
    const pidFile = join(realpathSync(join(engine.folder, 'pg')), 'postmaster.pid');
    process.kill(Number(readFileSync(pidFile, 'utf8').split('\n')[0]), 'SIGKILL');
    await done;
    assert.equal(await runs(agent.device), RECORDS);
    agent.close();
  });

  it('acknowledges nothing while the database is away, and says so', async () => {
    const agent = spool('refused', 1);
    await agent.connect(engine.grpc);
    await engine.sql('alter table spools rename to spools_away');
    agent.sendAll(1n);
    const status = async (): Promise<number> => (await fetch(`http://${engine.http}/health`)).status;
    await eventually(async () => (await status()) === 503, { what: 'it says so' });
    await sleep(400);
    assert.equal(agent.ack.committedThrough, 0n);
    await engine.sql('alter table spools_away rename to spools');
    await agent.archived(1n);
    assert.equal(await runs(agent.device), 1);
    assert.equal(await status(), 200);
    agent.close();
  });

  it('through a restart, which leaves the state as it was', async () => {
    const agent = spool('restart');
    const done = deliver(agent);
    await sleep(30);
    await engine.stop();
    await start();
    await done;
    assert.equal(await runs(agent.device), RECORDS);
    agent.close();
  });

  it('archives each record once, in order, whatever the disk does', async () => {
    const agent = spool('history');
    trouble.appends = 3;
    await deliver(agent);
    assert.equal(await runs(agent.device), RECORDS);
    trouble.appends = Number.POSITIVE_INFINITY;
    agent.batch();
    agent.sendAll(BigInt(RECORDS + 1));
    await agent.committed(BigInt(RECORDS + 1));
    assert.equal(agent.ack.archivedThrough, BigInt(RECORDS), 'decisions go on without the history');
    await engine.stop();
    trouble.appends = 0;
    await start();
    await deliver(agent);
    agent.close();
    await engine.stop();
    assert.deepEqual(await historyOf(agent), [...inOrder, RECORDS + 1]);
    await start();
  });

  it('keeps the place in the log of a record that was archived late', async () => {
    const agent = spool('late', 3);
    trouble.appends = Number.POSITIVE_INFINITY;
    await agent.connect(engine.grpc);
    agent.sendAll(1n, 2n, 3n);
    await agent.committed(3n);
    const places = await engine.sql<{ first_sequence: string; last_sequence: string; first_commit_seq: string }>(
      `select * from unarchived where node = 'late'`,
    );
    await engine.stop();
    trouble.appends = 0;
    await start();
    await deliver(agent);
    agent.close();
    await engine.stop();
    const history = await FileHistory.open(join(engine.folder, 'history'), silentLogger());
    for await (const { record } of history.read(agent.device, 0, null)) {
      const place = places.find(
        (row) => Number(row.first_sequence) <= record.sequence && record.sequence <= Number(row.last_sequence),
      );
      assert.equal(record.commitSeq, Number(place?.first_commit_seq) + record.sequence - Number(place?.first_sequence));
    }
    await history.close();
    await start();
    assert.equal(engine.fatal.length, 0);
  });
});
