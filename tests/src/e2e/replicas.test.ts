import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { TestAgent } from '@sentinel/correlation-engine/testing';
import { SentinelError } from '@sentinel/service-kit/errors';
import { type TemporaryFolder, type TestDatabase, temporaryFolder, testDatabase, testServer } from '@sentinel/test-kit';
import pg from 'pg';
import { acknowledgedAgain, doors } from '../harness/doors.js';
import { Reader, stalledDirectives } from '../harness/reader.js';
import { ReplicaSet } from '../harness/replica-set.js';
import { until } from '../harness/until.js';

const server = await testServer('postgres');
const COUNT = 3;
const HAND_OFF_MS = 2_000;
const HAND_OFFS = 4;
const TAKE_OVER_MS = 10_000;
const TAKE_OVERS = 3;
/** A client that stands still for a moment on a busy machine is none that reads nothing. */
const SLOW_CONSUMER_SECONDS = 10;
const PUT_OUT_MS = SLOW_CONSUMER_SECONDS * 1_000 + 5_000;
/** A leader that stands still for longer than its lease ends what it streams. */
const UNDISTURBED_TRIES = 4;
/** More than an agent delivers at its pace while three replicas start again. */
const ROLLING_RECORDS = 3_000;
/** Between five of them: they are enough for two minutes. */
const RESTARTING_REST_MS = 200;
/** A call with a deadline of a tenth of a second has ended by then, wherever the machine stood still meanwhile. */
const DEADLINE_SEEN_MS = 12_000;
const DIRECTIVES = 10_000;
/** Directives of a kilobyte each, as if they had been decided now: a new leader gives up what is old. */
const MANY_DIRECTIVES = `insert into fleet_directives
  (commit_seq, ordinal, id, action, gpu, node, reason, actor, from_state, to_state, time_us, injected, now_us)
  select 1, i, 'many-' || i, 'QUARANTINE', 'CPU-many', 'many', repeat('x', 900), 'engine', 'SUSPECT', 'QUARANTINED', 1, false,
    (extract(epoch from now()) * 1000000)::bigint
  from generate_series(1000, ${999 + DIRECTIVES}) as i`;
const PACE = { records: 10n, restMs: 20 };

describe('three replicas, each a process', { skip: server.skip, timeout: 580_000 }, () => {
  let folder: TemporaryFolder;
  let database: TestDatabase;
  let replicas: ReplicaSet;
  before(async () => {
    folder = await temporaryFolder();
    chmodSync(folder.path, 0o755);
    database = await testDatabase();
    replicas = await ReplicaSet.start({
      folder: folder.path,
      count: COUNT,
      settings: (_, link) => ({
        database: { postgres_url: database.url, sslmode: 'disable' },
        history: { url: `file://${folder.join('history')}` },
        redis: { url: 'redis://127.0.0.1:1' },
        replica: { listen_address: link },
        directive_log: { slow_consumer_seconds: SLOW_CONSUMER_SECONDS },
      }),
    });
  });
  after(async () => {
    await replicas.kill();
    await database.drop();
    await folder[Symbol.asyncDispose]();
  });

  const rows = async (text: string): Promise<Record<string, unknown>[]> => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  };
  /** What the database counted of a node. */
  const counted = async (node: string): Promise<unknown> => {
    const [row] = await rows(
      `select (select sum(runs)::int from counters where device_id = 'CPU-${node}') as runs,
        (select committed_through::int from spools where node = '${node}') as through`,
    );
    return row;
  };
  const follower = async (): Promise<number> => ((await replicas.leader()) + 1) % COUNT;
  const allServe = (): Promise<unknown> => Promise.all(replicas.all.map((_, index) => replicas.serves(index)));
  const epoch = async (): Promise<unknown> => (await rows('select epoch from leader'))[0]?.epoch;
  /** Once more wherever the leader changed meanwhile. */
  const underOneLeader = async <T>(act: () => Promise<T>): Promise<T> => {
    for (let tries = 0; tries < UNDISTURBED_TRIES; tries += 1) {
      const before = await epoch();
      const result = await act();
      await allServe();
      if ((await epoch()) === before) return result;
    }
    throw new Error(`the leader changed in each of ${UNDISTURBED_TRIES} tries`);
  };
  const all = async (agent: TestAgent): Promise<void> => {
    const last = agent.payloads.length;
    await until('the history has it', 60_000, () => agent.ack.archivedThrough >= BigInt(last));
    assert.deepEqual(await counted(agent.node), { runs: last, through: last });
  };

  const handOff = async (agent: TestAgent): Promise<number> => {
    const leader = await replicas.leader();
    const { service, grpc } = replicas.at(leader);
    await acknowledgedAgain(agent, () => grpc);
    service.signal('SIGTERM');
    const ms = await acknowledgedAgain(agent, doors(replicas, leader));
    assert.deepEqual(await service.ended(), { code: 0, signal: null });
    await service.start();
    await replicas.serves(leader);
    return ms;
  };

  const takeOver = async (agent: TestAgent): Promise<number> => {
    const leader = await replicas.leader();
    await acknowledgedAgain(agent, doors(replicas));
    await replicas.at(leader).service.kill();
    const ms = await acknowledgedAgain(agent, doors(replicas, leader));
    await replicas.at(leader).service.start();
    await replicas.serves(leader);
    return ms;
  };

  it('after kill -9 of the one that decides, reports are acknowledged again within ten seconds', async () => {
    const agent = new TestAgent('', { node: 'killed' });
    const took: number[] = [];
    // As with SIGTERM: other work on the machine makes one slow.
    while (took.length < TAKE_OVERS && !took.some((ms) => ms < TAKE_OVER_MS)) took.push(await takeOver(agent));
    assert.ok(Math.min(...took) < TAKE_OVER_MS, `${took.join(', ')} ms`);
    await all(agent);
    agent.close();
  });

  it('SIGTERM hands over within two seconds', async () => {
    const agent = new TestAgent('', { node: 'ended' });
    const took: number[] = [];
    // Other work on the machine makes one slow; the benchmark tells the slowest of many.
    while (took.length < HAND_OFFS && !took.some((ms) => ms < HAND_OFF_MS)) took.push(await handOff(agent));
    assert.ok(Math.min(...took) < HAND_OFF_MS, `${took.join(', ')} ms`);
    await all(agent);
    agent.close();
  });

  it('one that is stopped in its tracks is replaced, changes nothing when it wakes, and follows', async () => {
    const leader = await replicas.leader();
    const stale = replicas.at(leader);
    const agent = new TestAgent(stale.grpc, { node: 'stopped' });
    await acknowledgedAgain(agent, doors(replicas));
    // Records that the stopped one has received, or has on its way.
    agent.batches(20);
    agent.sendAll(...agent.payloads.map((_, index) => BigInt(index + 1)));
    stale.service.signal('SIGSTOP');
    const other = new TestAgent(replicas.at((leader + 1) % COUNT).grpc, { node: 'stopped-other' });
    // How soon a lease is over is looked at by hung-database.test.ts of the engine.
    await acknowledgedAgain(other, doors(replicas, leader));
    const [head] = await rows('select commit_seq from head');
    const stateBefore = await counted(agent.node);
    const from = stale.service.lines.length;
    stale.service.signal('SIGCONT');
    const follows = ({ msg }: { msg: string }): boolean => msg.startsWith('this replica does not decide any more');
    await stale.service.line('that it follows', 30_000, follows, from);
    await delay(1_000);
    const [later] = await rows(
      `select kind from records where commit_seq > ${String(head?.commit_seq)} and kind not in ('hello', 'node-left', 'timer')`,
    );
    assert.equal(later, undefined, 'the one that woke wrote a record');
    assert.deepEqual(await counted(agent.node), stateBefore, 'the one that woke counted');
    // The third one may have tried to take over too, and look for the leader only after it has given up.
    await allServe();
    assert.notEqual(await replicas.leader(), leader);
    await agent.deliver(PACE, () => stale.grpc);
    await all(agent);
    agent.close();
    other.close();
  });

  it('a rolling restart loses no report, doubles none, and moves the agents', async () => {
    const agents = Array.from({ length: 6 }, (_, index) => new TestAgent('', { node: `rolling-${index}` }));
    for (const agent of agents) agent.batches(ROLLING_RECORDS);
    let [delivered, over] = [0, false];
    const pace = {
      records: 5n,
      get restMs() {
        return over ? 0 : RESTARTING_REST_MS;
      },
    };
    const deliveries = agents.map(async (agent, index) => {
      await agent.deliver(pace, doors(replicas, null, index));
      delivered += 1;
    });
    const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
    // Two at each door, but where one of them was not open for a moment.
    const connected = async (): Promise<boolean> => sum(await replicas.activeStreams()) === agents.length;
    await until('all agents are connected', 60_000, connected);
    for (let index = 0; index < COUNT; index += 1) {
      const { service } = replicas.at(index);
      service.signal('SIGTERM');
      const moved = async (): Promise<boolean> => {
        const streams = await replicas.activeStreams();
        return streams[index] === 0 && sum(streams) === agents.length;
      };
      await until('its agents are at the other doors', 60_000, moved);
      await service.ended();
      await service.start();
      await replicas.serves(index);
    }
    assert.equal(delivered, 0, 'there was work through all of it');
    over = true;
    await Promise.all(deliveries);
    for (const agent of agents) {
      await all(agent);
      agent.close();
    }
  });

  it('a call with a deadline ends by it, through a replica whose leader has stopped in its tracks', async () => {
    const leader = await replicas.leader();
    const reader = new Reader(replicas.at(await follower()).grpc);
    await reader.fleet(30_000);
    replicas.at(leader).service.signal('SIGSTOP');
    const started = performance.now();
    const error = await reader.fleet(100).catch(SentinelError.from);
    const ms = performance.now() - started;
    replicas.at(leader).service.signal('SIGCONT');
    reader.close();
    assert.ok(error instanceof SentinelError && error.code === 'DEADLINE_EXCEEDED', String(error));
    assert.ok(ms < DEADLINE_SEEN_MS, `${ms} ms`);
    await allServe();
  });

  it('an orchestrator that reads nothing is put out through a follower too, and costs nobody else', async () => {
    await rows(MANY_DIRECTIVES);
    const { status, bytes, error } = await underOneLeader(async () => {
      const door = replicas.at(await follower());
      const stalled = stalledDirectives(door.grpc);
      const quick = new Reader(door.grpc);
      const seen = quick.directives();
      await until('the reader has them all', 60_000, () => seen.count >= DIRECTIVES || seen.error !== null);
      await delay(PUT_OUT_MS);
      const drained = await stalled.drained();
      quick.close();
      return { ...drained, error: seen.error };
    });
    assert.equal(status, '8', 'RESOURCE_EXHAUSTED');
    assert.ok(bytes > 0 && bytes < 4_000_000, `${bytes} of ${DIRECTIVES * 1_000} bytes were on their way`);
    assert.equal(error, null);
  });

  it('its agents are connected through a follower', async () => {
    const door = await follower();
    const agent = new TestAgent(replicas.at(door).grpc, { node: 'through' });
    agent.batches(100);
    await agent.deliver(PACE, () => replicas.at(door).grpc);
    // A gauge that does not answer at once counts as 0.
    const connected = async (): Promise<boolean> => (await replicas.activeStreams())[door] === 1;
    await until('the agent is counted at its door', 20_000, connected);
    await all(agent);
    agent.close();
  });
});
