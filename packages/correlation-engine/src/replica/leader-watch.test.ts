import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { SentinelError } from '@sentinel/service-kit/errors';
import { eventually, freePort, type TcpProxy, tcpProxy } from '@sentinel/test-kit';
import pg from 'pg';
import { TIMEOUTS } from '../store/connect.js';
import { TestAgent } from '../testing/agent.js';
import type { TestEngine } from '../testing/engine.js';
import { decides, Replicas, serves } from '../testing/replicas.js';

const SERVING = 'sentinel_replica_serving';
/** Whoever is connected to a replica that does not reach the leader is sent away within this. */
const SENT_AWAY_MS = 10_000;

describe('a replica says that it serves while it reaches one that decides', () => {
  let replicas: Replicas;
  /** From the others to the first replica. */
  let link: TcpProxy;
  before(async () => {
    const port = await freePort();
    link = await tcpProxy(port);
    replicas = await Replicas.start(0);
    const replica = { listen_address: `127.0.0.1:${port}`, advertise_address: link.address };
    await replicas.add({ replica }, { timeouts: TIMEOUTS });
    await replicas.add({}, { timeouts: TIMEOUTS });
  });
  after(async () => {
    link.pass();
    await replicas.remove();
    await link.close();
  });

  const door = (): TestEngine => replicas.all[1] as TestEngine;
  const health = async (engine: TestEngine): Promise<{ code: number; reasons: string }> => {
    const answer = await fetch(`http://${engine.http}/health`);
    const { reasons } = (await answer.json()) as { reasons: string[] };
    return { code: answer.status, reasons: reasons.join() };
  };
  const saysNo = (engine: TestEngine) =>
    eventually(async () => (await engine.metric(SERVING)) === 0 && (await health(engine)).code === 503, {
      what: 'it says that it does not serve',
    });

  /** How long it takes until an agent that was connected is sent away. */
  const sentAway = async (directions: readonly ('up' | 'down')[]): Promise<number> => {
    const agent = new TestAgent(door().grpc, { node: `stalled-${directions.length}` });
    await agent.connect();
    link.stall(...directions);
    const started = performance.now();
    await saysNo(door());
    const { reasons } = await health(door());
    assert.match(reasons, /does not reach one that does/);
    await assert.rejects(
      new TestAgent(door().grpc, { node: 'late' }).connect(),
      ({ code, message }: SentinelError) => code === 'UNAVAILABLE' && message.startsWith('no replica of the engine'),
    );
    const { code } = await agent.failed();
    assert.equal(code, 'UNAVAILABLE');
    const waited = performance.now() - started;
    link.pass();
    await serves(door());
    await agent.connect();
    agent.sendAll(agent.batch());
    await agent.archived(1n);
    agent.close();
    return waited;
  };

  for (const directions of [[], ['down']] as const) {
    it(`not over a link on which nothing moves${directions.length === 0 ? '' : ' in one direction'}: agents are sent away`, async () => {
      let waited = await sentAway(directions);
      // A machine that stood still meanwhile says nothing of the limit.
      for (let more = 0; more < 2 && waited >= SENT_AWAY_MS; more += 1) waited = await sentAway(directions);
      assert.ok(waited < SENT_AWAY_MS, `${waited} ms`);
    });
  }

  it('not while the one that has the lead reads the state', async () => {
    const third = await replicas.add({}, { timeouts: TIMEOUTS });
    const client = new pg.Client(replicas.url);
    await client.connect();
    await client.query('begin');
    await client.query('lock table devices in access exclusive mode');
    const { rows: before } = await client.query<{ epoch: string }>('select epoch from leader');
    const times = [door(), third].map(led);
    await replicas.first.stop();
    await eventually(
      async () => {
        const { rows } = await client.query<{ epoch: string; holder: string }>('select epoch, holder from leader');
        return rows[0]?.holder !== '' && Number(rows[0]?.epoch) > Number(before[0]?.epoch);
      },
      { what: 'another one has the lead' },
    );
    for (const engine of [door(), third]) await saysNo(engine);
    await client.query('rollback');
    await client.end();
    await Promise.race([door(), third].map((engine, i) => decides(engine, (times[i] ?? 0) + 1)));
    for (const engine of [door(), third]) await serves(engine);
  });
});

function led(engine: TestEngine): number {
  return engine.lines.filter(({ message }) => message === 'this replica decides').length;
}
