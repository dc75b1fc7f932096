import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, systemClock } from '@sentinel/service-kit/clock';
import { silentLogger } from '@sentinel/service-kit/logging';
import { PostgresServer, testServer } from '@sentinel/test-kit';
import { WINDOW_RECORDS } from '../ingest/stream-results.js';
import { FileHistory } from '../store/history/file-history.js';
import { TestAgent } from '../testing/agent.js';
import { TestEngine } from '../testing/engine.js';

const AGENTS = 6;
/** Of half an hour, one each two seconds. */
const RECORDS = 900;
const OUTAGE_US = 30n * 60_000_000n;
const STEPS = 20n;

const { skip } = await testServer('postgres');

it('half an hour without PostgreSQL: nothing is acknowledged, little is held, and everything is applied once afterwards', {
  skip,
}, async () => {
  await using postgres = await PostgresServer.start(mkdtempSync(join(tmpdir(), 'sentinel-postgres-')));
  const ahead = { us: 0n };
  const clock: Clock = { nowUs: () => systemClock.nowUs() + ahead.us, monotonicMs: systemClock.monotonicMs };
  const engine = new TestEngine({ database: { postgres_url: postgres.url, sslmode: 'disable' } });
  await engine.start({ clock });
  const agents = Array.from({ length: AGENTS }, (_, i) => new TestAgent(engine.grpc, { node: `n${i}` }).batches(1));
  for (const agent of agents) {
    await agent.connect();
    agent.sendAll(1n);
    await agent.archived(1n);
  }
  await postgres.halt('kill -9');
  for (const agent of agents) agent.batches(RECORDS);
  // Half of them notice nothing and go on sending; the others come back again and again.
  for (const agent of agents.slice(0, AGENTS / 2))
    agent.sendAll(...Array.from({ length: RECORDS }, (_, i) => BigInt(i) + 2n));
  const delivered = agents
    .slice(AGENTS / 2)
    .map((agent) => agent.deliver({ records: 100n, restMs: 10 }, () => engine.grpc));
  for (let step = 0n; step < STEPS; step += 1n) {
    ahead.us += OUTAGE_US / STEPS;
    await sleep(200);
    for (const agent of agents) assert.ok(agent.ack.committedThrough <= 1n, 'nothing is acknowledged meanwhile');
    const waiting = await engine.metric('sentinel_correlation_buffer_size');
    assert.ok(waiting <= AGENTS * WINDOW_RECORDS, `${waiting} records wait`);
    assert.equal((await fetch(`http://${engine.http}/health`)).status, 503);
  }
  await postgres.start();
  for (const agent of agents.slice(0, AGENTS / 2))
    delivered.push(agent.deliver({ records: 100n, restMs: 10 }, () => engine.grpc));
  await Promise.all(delivered);
  const counted = await engine.sql<{ device_id: string; runs: number }>(
    'select device_id, sum(runs)::int as runs from counters group by 1',
  );
  assert.deepEqual(
    counted.map(({ runs }) => runs),
    agents.map(() => RECORDS + 1),
  );
  assert.deepEqual(engine.fatal, []);
  for (const agent of agents) agent.close();
  await engine.stop();
  const history = await FileHistory.open(join(engine.folder, 'history'), silentLogger());
  for (const agent of agents) {
    const found: number[] = [];
    for await (const { record } of history.read(agent.device, 0, null)) found.push(record.sequence);
    assert.deepEqual(
      found.toReversed(),
      Array.from({ length: RECORDS + 1 }, (_, i) => i + 1),
    );
  }
  await history.close();
  await engine.remove();
});
