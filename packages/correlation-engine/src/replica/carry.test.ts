import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CorrelationServiceClient } from '@sentinel/contracts/sentinel/v1/health.js';
import {
  IssueDirectiveRequest_Action as Action,
  type DirectiveCursor,
  IssueDirectiveRequest,
  QuarantineServiceClient,
  type StreamDirectivesResponse,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { callUnary, createClient } from '@sentinel/service-kit/grpc-client';
import { eventually } from '@sentinel/test-kit';
import pg from 'pg';
import { TestAgent } from '../testing/agent.js';
import { OPERATOR_TOKEN, type TestEngine } from '../testing/engine.js';
import { softEvent, TestMonitor } from '../testing/monitor.js';
import { decides, Replicas, serves } from '../testing/replicas.js';

/** Enough to fill every window between an agent and the leader. */
const EAGER_RECORDS = 2_000;

describe('calls to a replica that does not decide', () => {
  let replicas: Replicas;
  let leader: TestEngine;
  let door: TestEngine;
  before(async () => {
    replicas = await Replicas.start(2, { directive_log: { slow_consumer_seconds: 1 } });
    [leader, door] = replicas.all as [TestEngine, TestEngine];
  });
  after(() => replicas.remove());

  const agent = async (node: string): Promise<TestAgent> => {
    const made = new TestAgent(door.grpc, { node });
    await made.connect();
    return made;
  };
  const active = 'sentinel_grpc_active_streams';
  const issue = (gpu: string, action: Action, directiveId: string) =>
    IssueDirectiveRequest.fromPartial({ gpu, action, directiveId, reason: 'a test' });
  const orders = (token = OPERATOR_TOKEN) =>
    createClient(QuarantineServiceClient, { address: door.grpc, tls: null, token });

  it('an agent reports, is acknowledged, and counts where it is connected', async () => {
    const one = await agent('one');
    one.sendAll(one.batch(), one.batch());
    await one.archived(2n);
    assert.deepEqual([await leader.metric(active), await door.metric(active)], [0, 1]);
    one.close();
    await eventually(async () => (await door.metric(active)) === 0, { what: 'the agent left' });
    const gone = async () =>
      (await leader.sql(`select 1 from nodes where node = 'one' and body->>'connected' = 'false'`)).length === 1;
    await eventually(gone, { what: 'the leader knows that the agent left' });
  });

  it('a monitor reports, and is acknowledged', async () => {
    const one = await agent('watched');
    const monitor = new TestMonitor(door.grpc, { node: 'watched' });
    for (let i = 0; i < 3; i += 1) monitor.record([softEvent('CPU-watched')]);
    monitor.send(1n, 2n, 3n, 3n);
    await monitor.committed(3n);
    const stranger = new TestMonitor(door.grpc, { node: 'watched', token: '' });
    stranger.record([softEvent('CPU-watched')]);
    stranger.send(1n);
    assert.equal((await stranger.failed()).code, 'UNAUTHENTICATED');
    for (const open of [stranger, monitor, one]) open.close();
  });

  it('a stream of results needs a hello on its own connection, whoever else is connected to the replica', async () => {
    const honest = await agent('honest');
    const stranger = new TestAgent(door.grpc, { node: 'honest' });
    stranger.batch();
    stranger.sendAll(1n);
    const error = await stranger.failed();
    assert.deepEqual([error.code, error.reason], ['FAILED_PRECONDITION', 'HELLO_REQUIRED']);
    honest.sendAll(honest.batch());
    await honest.archived(1n);
    for (const each of [stranger, honest]) each.close();
  });

  it('a refusal arrives whole', async () => {
    const one = await agent('offender');
    one.batch();
    one.send(one.seal(1n, { mac: Buffer.alloc(32) }));
    const { code, reason, field, hint } = await one.failed();
    assert.deepEqual([code, reason, field], ['UNAUTHENTICATED', 'BAD_MAC', 'mac']);
    assert.match(hint, /key/);
    one.close();
  });

  it('slows an agent down instead of growing', async () => {
    const one = await agent('eager');
    for (let i = 0; i < EAGER_RECORDS; i += 1) one.batch();
    one.sendAll(...Array.from({ length: EAGER_RECORDS }, (_, i) => BigInt(i + 1)));
    await one.archived(BigInt(EAGER_RECORDS));
    const [row] = await leader.sql<{ runs: string }>(
      `select sum(runs) as runs from counters where device_id = 'CPU-eager'`,
    );
    assert.equal(Number(row?.runs), EAGER_RECORDS);
    one.close();
  });

  it('an order has the actor and the role that the replica established', async () => {
    const one = await agent('ordered');
    const operator = orders();
    const { transition } = await callUnary(
      operator,
      operator.issueDirective,
      issue(one.device, Action.QUARANTINE, 'o-1'),
    );
    assert.deepEqual([transition?.actor, transition?.reason], ['operator token', 'a test']);
    const nobody = orders('');
    const order = callUnary(nobody, nobody.issueDirective, issue(one.device, Action.REINSTATE, 'o-2'));
    await assert.rejects(order, { code: 'UNAUTHENTICATED', reason: 'CREDENTIALS_MISSING' });
    const reader = createClient(CorrelationServiceClient, { address: door.grpc, tls: null, token: '' });
    const fleet = await callUnary(reader, reader.queryFleetHealth, {
      nodePrefix: '',
      model: '',
      state: 0,
      limit: 0,
      pageToken: '',
    });
    assert.ok(fleet.gpus.some(({ gpu }) => gpu === one.device));
    await assert.rejects(callUnary(reader, reader.queryGpuHealth, { gpu: 'none' }), { code: 'NOT_FOUND' });
    for (const client of [operator, nobody, reader]) client.close();
    one.close();
  });

  it('HTTP is answered by the leader, health by each for itself', async () => {
    const left = async () => (await leader.sql(`select 1 from nodes where body->>'connected' = 'true'`)).length === 0;
    await eventually(left, { what: 'every agent left' });
    const at = async (engine: TestEngine, path: string, init: RequestInit = {}) => {
      const response = await fetch(`http://${engine.http}${path}`, init);
      return [response.status, (await response.json()) as Record<string, never>] as const;
    };
    assert.deepEqual(
      await at(door, '/api/v1/fleet?node_prefix=ordered'),
      await at(leader, '/api/v1/fleet?node_prefix=ordered'),
    );
    assert.deepEqual(await at(door, '/api/v1/gpu/none'), await at(leader, '/api/v1/gpu/none'));
    const body = JSON.stringify({
      gpu: 'CPU-ordered',
      action: 'ACTION_REINSTATE',
      directiveId: 'o-3',
      reason: 'a test',
    });
    const order = { method: 'POST', body, headers: { 'content-type': 'application/json' } };
    assert.equal((await at(door, '/api/v1/quarantine', order))[0], 401);
    const authorization = `Bearer ${OPERATOR_TOKEN}`;
    const signed = { ...order, headers: { ...order.headers, authorization } };
    assert.equal((await at(door, '/api/v1/quarantine', signed))[0], 200);
    const [, health] = await at(door, '/health');
    const [, of] = await at(leader, '/health');
    assert.deepEqual([health.replica?.['decides'], of.replica?.['decides']], [false, true]);
    assert.equal(health.replica?.['leader'], of.replica?.['name']);
  });

  /** Follows the directives and keeps what it was told. */
  function orchestrator(after?: DirectiveCursor) {
    const client = orders('');
    const told: { seen: string[]; cursor: DirectiveCursor | undefined; error: SentinelError | null } = {
      seen: [],
      cursor: after,
      error: null,
    };
    const stream = client.streamDirectives({ after, fromNow: false });
    stream.on('error', (error) => {
      told.error = SentinelError.from(error);
    });
    stream.on('data', ({ message }: StreamDirectivesResponse) => {
      told.cursor = message?.value.cursor;
      if (message?.$case === 'directive') told.seen.push(message.value.id);
    });
    return {
      told,
      close: () => client.close(),
      until: (what: string, done: () => boolean) => eventually(done, { what }),
    };
  }

  it('an orchestrator that goes on from its cursor sees everything once, over a change of the leader', async () => {
    const first = orchestrator();
    await first.until('two directives', () => first.told.seen.length === 2);
    const times = door.lines.filter(({ message }) => message === 'this replica decides').length + 1;
    await Promise.all([leader.stop(), decides(door, times)]);
    await first.until('the end of the stream', () => first.told.error !== null);
    assert.equal(first.told.error?.code, 'UNAVAILABLE');
    await leader.start();
    await serves(leader);
    [leader, door] = [door, leader];
    const operator = orders();
    await callUnary(operator, operator.issueDirective, issue('CPU-ordered', Action.QUARANTINE, 'o-4'));
    const second = orchestrator(first.told.cursor);
    await second.until('the third directive', () => second.told.seen.length === 1);
    const rows = await leader.sql<{ id: string }>('select id from fleet_directives order by commit_seq, ordinal');
    assert.deepEqual(
      [...first.told.seen, ...second.told.seen],
      rows.map(({ id }) => id),
    );
    for (const each of [first, second, operator]) each.close();
  });

  it('agents of a replica that stops are told so at once, and are taken by another', async () => {
    const one = await agent('mover');
    one.sendAll(one.batch());
    await one.archived(1n);
    let stopped = false;
    const stopping = door.stop().then(() => {
      stopped = true;
    });
    assert.equal((await one.failed()).reason, 'SHUTTING_DOWN');
    assert.equal(stopped, false, 'they are told first');
    await stopping;
    await one.connect(leader.grpc);
    one.sendAll(one.batch());
    await one.archived(2n);
    one.close();
    await door.start();
    await serves(door);
  });

  it('without a leader calls are refused with the advice to try again, and health says why', async () => {
    const one = await agent('patient');
    // Nobody can take over: the lock is somebody else's.
    const client = new pg.Client({ connectionString: replicas.url });
    await client.connect();
    const locked = client.query('select pg_advisory_lock(1397050964)');
    const waits = `select 1 from pg_locks where locktype = 'advisory' and not granted
      and database = (select oid from pg_database where datname = current_database())`;
    await eventually(async () => (await door.sql(waits)).length > 0, { what: 'it is next to have the lock' });
    await leader.stop();
    await locked;
    const error = await one.failed();
    assert.equal(error.code, 'UNAVAILABLE');
    await assert.rejects(one.connect(), (refusal: SentinelError) => {
      return (
        refusal.code === 'UNAVAILABLE' && refusal.retryAfterMs > 0 && /Nothing that was acknowledged/.test(refusal.hint)
      );
    });
    const response = await fetch(`http://${door.http}/health`);
    const { reasons } = (await response.json()) as { reasons: string[] };
    assert.equal(response.status, 503);
    assert.match(reasons.join(), /no replica decides/);
    assert.equal((await fetch(`http://${door.http}/api/v1/fleet`)).status, 503);
    const times = door.lines.filter(({ message }) => message === 'this replica decides').length + 1;
    await client.end();
    await decides(door, times);
    await one.connect();
    one.close();
  });
});
