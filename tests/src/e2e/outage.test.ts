import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import { settleAndReconcile } from '../chaos/crash.js';
import { journalOf, readJournal } from '../harness/ack-journal.js';
import { EngineClient } from '../harness/engine-client.js';
import { EngineSql } from '../harness/engine-sql.js';
import { auditTrail } from '../harness/ledger-client.js';
import { metric, scrape } from '../harness/metrics.js';
import { postgresProcesses } from '../harness/postgres.js';
import type { Service } from '../harness/service.js';
import { BUSY_AGENT, Stack } from '../harness/stack.js';
import { until } from '../harness/until.js';

const NODE = 'outage';
/** Minutes, compressed. */
const AWAY_MS = 6_000;

describe('a part is away: the rest goes on and catches up', { timeout: 500_000 }, () => {
  let stack: Stack;
  let agent: Service;
  let engine: EngineClient;
  let gpu: string;
  let metrics: string;

  before(async () => {
    stack = await Stack.start({ agent: BUSY_AGENT });
    engine = new EngineClient(stack);
    agent = stack.agent({ node: NODE, inject: 'core=1,family=fma32,rate=0.01' });
    metrics = (await agent.start()).metrics ?? '';
    ({ gpu } = await engine.deviceOf(NODE));
  });
  after(async () => {
    engine?.close();
    await stack?.stop();
  });

  const acknowledged = (): number => readJournal(journalOf(stack, NODE)).length;
  const executed = async (): Promise<number> => metric(await scrape(metrics), 'sentinel_probe_results_total');
  /** Sequences that are acknowledged all the same. The agent may write down late what it was told in time, but nothing beyond the commits. */
  const notCommitted = async (): Promise<number[]> => {
    const records = readJournal(journalOf(stack, NODE));
    await using sql = await EngineSql.open(stack);
    const watermarks = await sql.watermarks();
    const through = new Map(watermarks.map(({ spoolId, committedThrough }) => [spoolId, committedThrough]));
    return records.flatMap(({ spoolId, sequence }) => (sequence > (through.get(spoolId) ?? 0) ? [sequence] : []));
  };
  const goesOn = (probed: number): Promise<unknown> =>
    until('the agent goes on probing', 30_000, async () => (await executed()) > probed);

  test('the ledger is away: the device is quarantined without it, and the ledger gets each event once', async () => {
    await stack.ledger.kill();
    await engine.state(gpu, [GpuState.QUARANTINED, GpuState.DEEP_TEST], 70_000);
    await using sql = await EngineSql.open(stack);
    assert.ok((await sql.outboxPending()) > 0);
    await delay(AWAY_MS);
    assert.ok(stack.engine.pid !== null);
    await stack.ledger.start();
    await until('the outbox is empty', 60_000, async () => (await sql.outboxPending()) === 0);
    const ids = (await auditTrail(stack, gpu)).map(({ eventId }) => Buffer.from(eventId).toString('hex'));
    for (const { eventId } of await sql.transitions(gpu)) assert.equal(ids.filter((id) => id === eventId).length, 1);
  });

  test('the engine is away: the agent goes on probing, keeps its results and delivers them', async () => {
    await stack.engine.kill();
    const probed = await executed();
    await delay(AWAY_MS);
    await goesOn(probed);
    // Its PostgreSQL outlives it.
    assert.deepEqual(await notCommitted(), []);
    const told = acknowledged();
    await stack.engine.start();
    await until('the spool is delivered', 90_000, () => acknowledged() > told + AWAY_MS / 1000);
  });

  test('PostgreSQL is frozen: nothing is acknowledged meanwhile; thawed, the rest is delivered', async () => {
    const [postmaster] = postgresProcesses(stack);
    assert.ok(postmaster !== undefined);
    // First who starts and buries the others: none comes or goes then.
    process.kill(postmaster, 'SIGSTOP');
    const processes = postgresProcesses(stack);
    try {
      assert.ok(processes.length > 1);
      for (const pid of processes) process.kill(pid, 'SIGSTOP');
      const probed = await executed();
      await delay(AWAY_MS);
      await goesOn(probed);
      // Until the watermark is read: what waits in it is not committed before.
      stack.engine.signal('SIGSTOP');
    } finally {
      for (const pid of processes.toReversed()) process.kill(pid, 'SIGCONT');
    }
    try {
      assert.deepEqual(await notCommitted(), []);
    } finally {
      stack.engine.signal('SIGCONT');
    }
    const told = acknowledged();
    await until('acknowledgements go on', 90_000, () => acknowledged() > told + AWAY_MS / 1000);
  });

  test('PostgreSQL is killed: it comes back by itself and nothing is missing', async () => {
    stack.engine.keepUp();
    const [postmaster] = postgresProcesses(stack);
    assert.ok(postmaster !== undefined);
    const told = acknowledged();
    process.kill(postmaster, 'SIGKILL');
    await until('acknowledgements go on', 120_000, () => acknowledged() > told + 3);
  });

  test('after all of it nothing is lost and nothing doubled', async () => {
    const verdict = await settleAndReconcile(stack, agent, journalOf(stack, NODE));
    assert.deepEqual([verdict.lost, verdict.doubled], [[], []]);
    assert.ok(verdict.runs > 0 && verdict.failures > 0);
  });
});
