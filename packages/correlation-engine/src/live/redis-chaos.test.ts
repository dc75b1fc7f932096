import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually, RedisServer, type TcpProxy, tcpProxy, testServer } from '@sentinel/test-kit';
import { Redis } from 'ioredis';
import { BUS_TIMEOUT_MS } from '../bus/bus.js';
import { TestAgent } from '../testing/agent.js';
import type { TestEngine } from '../testing/engine.js';
import { EventReader } from '../testing/event-reader.js';
import { failTwice } from '../testing/fail-twice.js';
import { Replicas } from '../testing/replicas.js';

const RATE = { hour_min: 100, day_min: 100 };
const GATES = { dwell_small_seconds: 0, small_fleet_nodes: 100, breadth_nodes: 100, deep_test_seconds: 0 };
const ROUNDS = 40;
/** A commit that waits for Redis even once takes twice this; one that does not, a few milliseconds and what a busy machine and its disk add. */
const DOES_NOT_WAIT_MS = BUS_TIMEOUT_MS / 2;

const CUTS = 5;
/** Suspect, quarantined, and the directive. */
const UPDATES_OF_QUARANTINE = 3;

const { skip } = await testServer('redis');

describe('an engine whose Redis fails', { skip }, () => {
  let redis: RedisServer;
  let link: TcpProxy;
  let replicas: Replicas;
  let leader: TestEngine;
  let follower: TestEngine;
  let raw: Redis;
  let key = '';
  before(async () => {
    redis = await RedisServer.start();
    link = await tcpProxy(redis.port);
    const settings = { redis: { url: `redis://${link.address}` }, gates: { ...GATES, rate_limit: RATE } };
    replicas = await Replicas.start(1, settings);
    leader = replicas.first;
    // What happens to the link happens to the one that decides alone.
    follower = await replicas.add({ redis: { url: redis.url } });
    raw = new Redis(redis.url).on('error', () => {});
    const [relay] = await leader.sql<{ instance: string }>('select instance from relay');
    key = `sentinel:{${relay?.instance}}:states`;
  });
  after(async () => {
    raw.disconnect();
    await replicas.remove();
    await link.close();
    await redis.stop();
  });

  /** A device of that node is quarantined. */
  const quarantine = async (node: string): Promise<string> => {
    const agent = new TestAgent(leader.grpc, { node });
    await agent.connect();
    await failTwice(agent);
    agent.close();
    return agent.device;
  };

  /** Median time from a batch to its acknowledgement, ms. */
  const acknowledging = async (): Promise<number> => {
    const agent = new TestAgent(leader.grpc, { node: 'steady' });
    await agent.connect();
    const times: number[] = [];
    for (let i = 1; i <= ROUNDS; i += 1) {
      const sequence = agent.batch();
      const started = performance.now();
      agent.sendAll(sequence);
      await agent.committed(sequence);
      times.push(performance.now() - started);
    }
    agent.close();
    return times.sort((a, b) => a - b)[ROUNDS / 2] ?? 0;
  };

  /** What the cache says and what was committed. */
  const compare = async (): Promise<[Record<string, string>, Record<string, string>]> => {
    const rows = await leader.sql<{ id: string; state: string }>('select id, state from devices order by id');
    const fields = Object.entries(await raw.hgetall(key)).filter(([field]) => !field.startsWith('@'));
    const cached = fields.map(([id, value]) => {
      const { gpu, state } = JSON.parse(value.slice(value.indexOf(' ') + 1)) as { gpu: string; state: string };
      return [gpu === id ? id : '', state] as const;
    });
    return [
      Object.fromEntries(cached.sort(([a], [b]) => (a < b ? -1 : 1))),
      Object.fromEntries(rows.map(({ id, state }) => [id, state])),
    ];
  };
  const isRight = async (): Promise<void> => {
    await eventually(
      async () => {
        const [cached, committed] = await compare();
        assert.deepEqual(cached, committed);
        return true;
      },
      { what: 'the cache shows what was committed', timeoutMs: 30_000 },
    );
  };
  const busIs = (up: 'up' | 'away'): Promise<unknown> =>
    eventually(
      async () => {
        const answer = await fetch(`http://${leader.http}/health`);
        const { stores } = (await answer.json()) as { stores: { bus: string } };
        return answer.status === 200 && stores.bus === up;
      },
      { what: `the bus is ${up}, and the engine is well`, timeoutMs: 30_000 },
    );

  it('shows its decisions to readers of every replica, and in the cache', async () => {
    await using near = await EventReader.open(leader.http);
    await using far = await EventReader.open(follower.http);
    for (const reader of [near, far]) await reader.until('it begins', () => reader.seen.length === 1);
    const device = await quarantine('first');
    for (const reader of [near, far]) await reader.until('the quarantine', () => reader.seen.length === 4);
    assert.deepEqual(far.lines, near.lines);
    assert.equal(far.lines.at(-1), `directive QUARANTINE ${device}`);
    await isRight();
  });

  const HARMS: readonly (readonly [string, () => Promise<void>, () => Promise<void>])[] = [
    ['killed', () => redis.kill(), () => redis.start()],
    ['stopped in its tracks', async () => redis.pause(), async () => redis.resume()],
    ['behind a link on which nothing moves', async () => link.stall(), async () => link.pass()],
    ['behind a link that is cut', async () => link.refuse(), async () => link.pass()],
  ];
  for (const [what, harm, mend] of HARMS) {
    it(`${what}: acknowledges and decides as before, and all see it`, async () => {
      await using far = await EventReader.open(follower.http);
      await far.until('it begins', () => far.seen.length === 1);
      let device = '';
      await harm();
      try {
        const times = [await acknowledging()];
        device = await quarantine(what.replaceAll(' ', '-'));
        await busIs('away');
        times.push(await acknowledging());
        for (const ms of times) assert.ok(ms < DOES_NOT_WAIT_MS, `${ms.toFixed(1)} ms`);
        await far.until('the quarantine', () => far.lines.includes(`directive QUARANTINE ${device}`));
      } finally {
        // Or every test after it fails with it.
        await mend();
      }
      await busIs('up');
      assert.equal(far.lines.filter((line) => line === `state ${device} SUSPECT QUARANTINED`).length, 1);
      await isRight();
    });
  }

  it('behind a link that is cut again and again: readers of another replica miss none of many', async () => {
    await using near = await EventReader.open(leader.http);
    await using far = await EventReader.open(follower.http);
    for (const reader of [near, far]) await reader.until('it begins', () => reader.seen.length === 1);
    const dropped = await leader.metric('sentinel_bus_dropped_total{what="publish"}');
    for (let i = 0; i < CUTS; i += 1) {
      // Until it is decided: a link that is only cut may be back before, and then nothing is lost.
      link.refuse();
      await quarantine(`cut-${i}`);
      link.pass();
      await quarantine(`whole-${i}`);
    }
    assert.ok((await leader.metric('sentinel_bus_dropped_total{what="publish"}')) > dropped, 'some were not sent');
    for (const reader of [near, far])
      await reader.until('all of them', () => reader.seen.length === 1 + 2 * CUTS * UPDATES_OF_QUARANTINE);
    assert.deepEqual(far.lines, near.lines);
  });

  it('emptied: the cache is written anew', async () => {
    await raw.flushall();
    await isRight();
    const [cached] = await compare();
    assert.equal(Object.values(cached).filter((state) => state === 'QUARANTINED').length, 5 + 2 * CUTS);
    assert.ok((await leader.metric('sentinel_cache_rewrites_total')) >= 3, 'at first, killed, emptied');
    assert.ok(
      leader.lines.some(
        ({ level, message }) => level === 'warn' && /live cache \(Redis\) is away/.test(String(message)),
      ),
    );
    assert.equal(
      leader.lines.some(({ level, store }) => level === 'error' && store === 'bus'),
      false,
    );
  });
});
