import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, beforeEach, describe, it } from 'node:test';
import { eventually, type TcpProxy, tcpProxy } from '@sentinel/test-kit';
import pg from 'pg';
import { TIMEOUTS } from '../store/connect.js';
import { TestAgent } from '../testing/agent.js';
import type { TestEngine } from '../testing/engine.js';
import { decides, Replicas } from '../testing/replicas.js';

/** Whoever cannot decide any more is replaced within this. */
const TAKE_OVER_MS = 10_000;
const TRIES = 3;
const WAIT = { timeoutMs: 60_000 };
const RECORDS = 20;

/** One of the connections to the database, or all of a replica, hang: nobody says a word, nothing ends. */
describe('replicas whose database does not answer', () => {
  let replicas: Replicas;
  /** Link of each replica to the database. */
  const links: TcpProxy[] = [];
  before(async () => {
    replicas = await Replicas.start(0);
    for (let i = 0; i < 2; i += 1) {
      const { host } = new URL(replicas.url);
      const link = await tcpProxy(host);
      links.push(link);
      const url = replicas.url.replace(host, link.address);
      await replicas.add({ database: { postgres_url: url, sslmode: 'disable' } }, { timeouts: TIMEOUTS });
    }
  });
  const allAreWell = async (): Promise<void> => {
    for (const engine of replicas.all)
      await eventually(async () => (await health(engine)).code === 200, { what: 'all are well', ...WAIT });
  };
  beforeEach(allAreWell);
  after(async () => {
    for (const link of links) link.pass();
    await replicas.remove();
    for (const link of links) await link.close();
  });

  const sql = async (text: string): Promise<Record<string, unknown>[]> => {
    const client = new pg.Client(replicas.url);
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  };
  const health = async (engine: TestEngine): Promise<{ code: number; state: string; reasons: string[] }> => {
    const answer = await fetch(`http://${engine.http}/health`);
    const { stores, reasons } = (await answer.json()) as { stores: { state: string }; reasons: string[] };
    return { code: answer.status, state: stores.state, reasons };
  };
  const pair = async (): Promise<{ leader: TestEngine; other: TestEngine; link: TcpProxy }> => {
    const [row] = await sql('select holder from leader');
    const leader = replicas.all.find(({ lines }) =>
      lines.some(({ message, replica }) => message === 'this replica decides' && replica === row?.['holder']),
    );
    const index = leader === undefined ? -1 : replicas.all.indexOf(leader);
    const [other, link] = [replicas.all[1 - index], links[index]];
    assert.ok(leader && other && link, 'one of the two leads');
    return { leader, other, link };
  };
  const led = (engine: TestEngine): number =>
    engine.lines.filter(({ message }) => message === 'this replica decides').length;
  const agentOf = async (node: string, engine: TestEngine): Promise<TestAgent> => {
    const agent = new TestAgent(engine.grpc, { node }).batches(RECORDS);
    await agent.connect();
    return agent;
  };
  const counted = async (agent: TestAgent): Promise<unknown> =>
    (await sql(`select sum(runs)::int as n from counters where device_id = '${agent.device}'`))[0]?.['n'];

  /** The first of some tries that takes less: a machine that stood still meanwhile says nothing of the limit. */
  const within = async (limitMs: number, take: (attempt: number) => Promise<number>): Promise<void> => {
    let ms = Number.POSITIVE_INFINITY;
    for (let attempt = 1; attempt <= TRIES && ms >= limitMs; attempt += 1) {
      await allAreWell();
      ms = await take(attempt);
    }
    assert.ok(ms < limitMs, `${ms} ms`);
  };

  /** How long it takes until the other one decides. */
  const replaced = async (attempt: number): Promise<number> => {
    const { leader, other, link } = await pair();
    const times = led(other) + 1;
    const agent = await agentOf(`black-hole-${attempt}`, leader);
    link.stall();
    const started = performance.now();
    await decides(other, times);
    const ms = performance.now() - started;
    await eventually(async () => (await health(leader)).state === 'away', { what: 'it says so', ...WAIT });
    assert.equal((await health(leader)).code, 503);
    assert.equal(await leader.metric('sentinel_replica_decides'), 0);
    assert.equal(await leader.metric('sentinel_store_up{store="state"}'), 0);
    await eventually(() => agent.error !== null, { what: 'its agents are sent away', ...WAIT });
    link.pass();
    await agent.deliver({ records: 5n, restMs: 5 }, () => leader.grpc);
    assert.equal(await counted(agent), RECORDS);
    assert.equal(led(other), times);
    agent.close();
    return ms;
  };

  it('a leader whose link is a black hole is replaced, and says of itself that it does not decide', () =>
    within(TAKE_OVER_MS, replaced));

  it('a follower whose link is a black hole says so', async () => {
    const { leader, other } = await pair();
    const link = links[replicas.all.indexOf(other)] as TcpProxy;
    link.stall();
    await eventually(async () => (await health(other)).state === 'away', { what: 'it says so', ...WAIT });
    assert.equal((await health(leader)).code, 200);
    link.pass();
  });

  /** How long it takes until what an agent says is committed. */
  const delivered = async (attempt: number): Promise<number> => {
    const { leader, link } = await pair();
    const agent = await agentOf(`half-open-${attempt}`, leader);
    link.freeze();
    const started = performance.now();
    await agent.deliver({ records: 5n, restMs: 5 }, () => leader.grpc);
    const ms = performance.now() - started;
    assert.equal(await counted(agent), RECORDS);
    link.pass();
    agent.close();
    return ms;
  };

  it('connections that hang are given up, where new ones work', () => within(TAKE_OVER_MS + 5_000, delivered));

  it('a process of the database that stands still and writes is named, and decisions go on once it ended', async (t) => {
    const [row] = await sql('select backend_pid from leader');
    const pid = Number(row?.['backend_pid']);
    const commandLine = `/proc/${pid}/cmdline`;
    const here = existsSync(commandLine) && readFileSync(commandLine, 'utf8').startsWith('postgres');
    if (!here) return t.skip('the database is on another machine');
    const { leader, other } = await pair();
    const agent = await agentOf('stopped', leader);
    process.kill(pid, 'SIGSTOP');
    try {
      const done = agent.deliver({ records: 5n, restMs: 5 }, () => leader.grpc);
      const named = ({ store, reason }: Record<string, unknown>) =>
        store === 'state' && String(reason).startsWith(`backend ${pid} of the database was told to end and does not`);
      await eventually(() => leader.lines.some(named) || other.lines.some(named), { what: 'it is named', ...WAIT });
      const saysSo = async () => (await health(leader)).code === 503 && (await health(other)).code === 503;
      await eventually(saysSo, { what: 'both say that nothing is acknowledged', ...WAIT });
      assert.equal(agent.ack.committedThrough, 0n);
      process.kill(pid, 'SIGCONT');
      await done;
    } finally {
      if (existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGCONT');
    }
    assert.equal(await counted(agent), RECORDS);
    agent.close();
  });
});
