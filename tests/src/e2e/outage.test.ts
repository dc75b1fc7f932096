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
/** More than a slow disk takes to keep an acknowledgement that has arrived. */
const REST_MS = 2_000;

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
  /** What was on its way when a part went away is acknowledged yet. @returns how many there are once no more come, while the agent answers */
  const lastAcknowledged = async (): Promise<number> => {
    let before = -1;
    const still = async (): Promise<boolean> => {
      await executed();
      const now = acknowledged();
      const same = now === before;
      before = now;
      return same;
    };
    await until('no more acknowledgements', 60_000, still, REST_MS);
    return before;
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
    const told = await lastAcknowledged();
    const probed = await executed();
    await delay(AWAY_MS);
    await goesOn(probed);
    assert.equal(acknowledged(), told);
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
      const told = await lastAcknowledged();
      const probed = await executed();
      await delay(AWAY_MS);
      await goesOn(probed);
      assert.equal(acknowledged(), told);
    } finally {
      for (const pid of processes.toReversed()) process.kill(pid, 'SIGCONT');
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
