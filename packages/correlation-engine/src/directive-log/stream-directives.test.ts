import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientReadableStream } from '@grpc/grpc-js';
import {
  type DirectiveCursor,
  fleetDirective_ActionToJSON,
  QuarantineServiceClient,
  ResolveIncidentRequest_Resolution as Resolution,
  type StreamDirectivesResponse,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { callUnary, createClient } from '@sentinel/service-kit/grpc-client';
import { eventually } from '@sentinel/test-kit';
import { RunKind } from '../core.js';
import { TestAgent } from '../testing/agent.js';
import { OPERATOR_TOKEN, TestEngine } from '../testing/engine.js';
import { MAX_DIRECTIVE_STREAMS } from './stream-directives.js';

const GATES = { dwell_small_seconds: 0, small_fleet_nodes: 100, deep_test_seconds: 0, breadth_nodes: 100 };
const RATE = { hour_min: 100, day_min: 100 };
/** Engine and consumers share a process: one that stands still for so long makes the quick ones slow, too. */
const PATIENCE_SECONDS = 8;

describe('directives for orchestrators', () => {
  const engine = new TestEngine({
    gates: { ...GATES, rate_limit: RATE },
    directive_log: { slow_consumer_seconds: PATIENCE_SECONDS },
  });
  before(() => engine.start());
  after(() => engine.remove());

  /** An orchestrator: it keeps what it was told and the cursor of the newest. */
  class Consumer {
    readonly seen: string[] = [];
    cursor: DirectiveCursor | undefined;
    caughtUp = 0;
    error: SentinelError | null = null;
    readonly #client = createClient(QuarantineServiceClient, { address: engine.grpc, tls: null, token: '' });
    readonly stream: ClientReadableStream<StreamDirectivesResponse>;

    constructor(cursor?: DirectiveCursor, fromNow = false) {
      this.cursor = cursor;
      this.stream = this.#client.streamDirectives({ after: cursor, fromNow });
      this.stream.on('error', (error) => {
        this.error = SentinelError.from(error);
      });
    }

    read(): this {
      this.stream.on('data', ({ message }: StreamDirectivesResponse) => {
        this.cursor = message?.value.cursor;
        if (message?.$case === 'caughtUp') this.caughtUp += 1;
        else if (message !== undefined) {
          const { action, gpu, node, from, to } = message.value;
          this.seen.push(`${fleetDirective_ActionToJSON(action).slice(7)} ${gpu || node} ${from}>${to}`);
        }
      });
      return this;
    }

    async until(condition: () => boolean): Promise<void> {
      await eventually(condition, { what: 'what is waited for' }).catch(({ message }: Error) =>
        assert.fail(
          `${message}; ${this.seen.length} seen, caught up ${this.caughtUp} times ${this.error?.sentence ?? ''}`,
        ),
      );
    }

    close(): void {
      this.stream.cancel();
      this.#client.close();
    }
  }

  /** A node with one device whose unit fails, and fails again in the burst. */
  async function quarantine(node: string): Promise<string> {
    const agent = new TestAgent(engine.grpc, { node });
    await agent.connect();
    agent.batch([{}, { index: 1, fails: [{ sm: 1 }] }]);
    agent.sendAll(1n);
    const bursts = (): string[] =>
      agent.messages.flatMap((message) =>
        message.$case === 'directive' && message.value.work?.$case === 'burst' ? message.value.id : [],
      );
    await agent.until(() => bursts().length > 0);
    const [id = ''] = bursts();
    agent.sendAll(agent.batch([{ kind: RunKind.BURST, single: 1, index: 2, directive: id, fails: [{ sm: 1 }] }]));
    await agent.committed(BigInt(agent.payloads.length));
    agent.close();
    return agent.device;
  }

  const QUARANTINED = '2>3';

  it('replays what is stored, says that it caught up, and goes on live', async () => {
    const one = await quarantine('one');
    const consumer = new Consumer().read();
    await consumer.until(() => consumer.caughtUp > 0);
    assert.deepEqual(consumer.seen, [`QUARANTINE ${one} ${QUARANTINED}`]);
    const two = await quarantine('two');
    await consumer.until(() => consumer.seen.length === 2);
    assert.equal(consumer.seen[1], `QUARANTINE ${two} ${QUARANTINED}`);
    consumer.close();
  });

  it('from now on, a consumer hears nothing of before', async () => {
    const consumer = new Consumer(undefined, true).read();
    await consumer.until(() => consumer.caughtUp > 0);
    assert.deepEqual(consumer.seen, []);
    await quarantine('three');
    await consumer.until(() => consumer.seen.length === 1);
    consumer.close();
  });

  it('a consumer that was away goes on from its cursor, over a restart of the engine, and misses nothing', async () => {
    const consumer = new Consumer().read();
    await consumer.until(() => consumer.caughtUp > 0);
    const { cursor, seen } = consumer;
    consumer.close();
    await quarantine('four');
    const waiting = new Consumer(cursor).read();
    await waiting.until(() => waiting.seen.length === 1);
    await engine.stop();
    await waiting.until(() => waiting.error !== null);
    assert.equal(waiting.error?.reason, 'SHUTTING_DOWN');
    waiting.close();
    await engine.start();
    const back = new Consumer(cursor).read();
    await back.until(() => back.caughtUp > 0);
    const whole = new Consumer().read();
    await whole.until(() => whole.caughtUp > 0);
    assert.deepEqual([...seen, ...back.seen], whole.seen);
    assert.equal(whole.seen.length, 4);
    for (const each of [back, whole]) each.close();
  });

  it('says the same ids and rows each time', async () => {
    const rows = await engine.sql<{ id: string; commit_seq: string; ordinal: number }>(
      'select id, commit_seq, ordinal from fleet_directives order by commit_seq, ordinal',
    );
    assert.equal(new Set(rows.map(({ id }) => id)).size, rows.length);
    assert.ok(rows.every(({ id }) => /^fleet-[0-9a-f]{24}$/.test(id)));
  });

  it('tells a cursor whose successors are not kept any more, and one of another database', async () => {
    const [first] = await engine.sql<{ commit_seq: string }>(
      'select min(commit_seq) as commit_seq from fleet_directives',
    );
    const old = { commitSeq: BigInt(first?.commit_seq ?? 0) - 1n, ordinal: 0 };
    await engine.sql('update fleet_directives set now_us = 0 where commit_seq = $1', [first?.commit_seq]);
    await engine.stop();
    await engine.start();
    const kept = async () => (await engine.sql('select from fleet_directives where now_us = 0')).length;
    await eventually(async () => (await kept()) === 0, { what: 'it is given up' });
    const late = new Consumer(old).read();
    await late.until(() => late.error !== null);
    assert.deepEqual([late.error?.code, late.error?.reason, late.seen], ['OUT_OF_RANGE', 'EXPIRED', []]);
    const exact = new Consumer({ commitSeq: BigInt(first?.commit_seq ?? 0), ordinal: 0 }).read();
    await exact.until(() => exact.caughtUp > 0);
    assert.equal(exact.seen.length, 3);
    const fresh = new Consumer().read();
    await fresh.until(() => fresh.caughtUp > 0);
    assert.equal(fresh.seen.length, 3, 'without a cursor it begins with the oldest that is kept');
    const foreign = new Consumer({ commitSeq: 1_000_000n, ordinal: 0 }).read();
    await foreign.until(() => foreign.error !== null);
    assert.equal(foreign.error?.code, 'OUT_OF_RANGE');
    for (const each of [late, exact, fresh, foreign]) each.close();
  });

  it('disconnects a consumer that does not read, and no other', async () => {
    await engine.sql(`insert into fleet_directives select 1, i + 10, 'flood-' || i, 'CORDON', '', 'n', repeat('x', 1000), '', null,
      null, 1, false, extract(epoch from now()) * 1e6 from generate_series(1, 5000) as i`);
    await engine.sql('update directive_log set pruned_commit_seq = 0, pruned_ordinal = 0');
    const session = connect(`http://${engine.grpc}`);
    const path = '/sentinel.v1.QuarantineService/StreamDirectives';
    const slow = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    slow.end(Buffer.alloc(5));
    let status = '';
    slow.on('trailers', (trailers) => {
      status = String(trailers['grpc-status']);
    });
    const quick = new Consumer().read();
    await quick.until(() => quick.seen.length >= 5002);
    await sleep(PATIENCE_SECONDS * 1_500);
    let bytes = 0;
    slow.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    await quick.until(() => status !== '');
    assert.equal(status, '8', 'RESOURCE_EXHAUSTED');
    assert.ok(bytes > 0 && bytes < 1_000_000, `${bytes} of 5,000,000 bytes were sent`);
    assert.equal(quick.error, null);
    quick.close();
    session.close();
    await engine.sql('delete from fleet_directives where commit_seq = 1');
  });

  it('serves a bounded number of consumers', async () => {
    const many = Array.from({ length: MAX_DIRECTIVE_STREAMS }, () => new Consumer(undefined, true).read());
    for (const each of many) await each.until(() => each.caughtUp > 0);
    const more = new Consumer().read();
    await more.until(() => more.error !== null);
    assert.equal(more.error?.code, 'RESOURCE_EXHAUSTED');
    for (const each of [...many, more]) each.close();
  });
});

describe('orders that concern the fleet', () => {
  const engine = new TestEngine({
    gates: { ...GATES, rate_limit: { hour_min: 1, hour_fraction: 0, day_min: 9, day_fraction: 0 } },
  });
  const client = (token: string) => createClient(QuarantineServiceClient, { address: engine.grpc, tls: null, token });
  before(() => engine.start());
  after(() => engine.remove());

  const web = async (path: string) =>
    (await (await fetch(`http://${engine.http}${path}`)).json()) as Record<string, unknown>;

  it('the limit is shown, and reset by an operator alone, without a restart', async () => {
    const reader = client('');
    const operator = client(OPERATOR_TOKEN);
    const { limitHour, limitDay, usedHour, freeUs } = await callUnary(reader, reader.getRateLimit, {});
    assert.deepEqual([usedHour, limitHour, limitDay, freeUs], [0, 1, 9, 0n]);
    const refused = await callUnary(reader, reader.resetRateLimit, { reason: 'x' }).catch(SentinelError.from);
    assert.equal((refused as SentinelError).code, 'UNAUTHENTICATED');
    const empty = await callUnary(operator, operator.resetRateLimit, { reason: '' }).catch(SentinelError.from);
    assert.equal((empty as SentinelError).code, 'INVALID_ARGUMENT');
    assert.deepEqual(await callUnary(operator, operator.resetRateLimit, { reason: 'a test' }), { forgotten: 0 });
    const [row] = await engine.sql<{ detail: string }>(
      `select detail from outbox where detail like '%rate_limit_reset%'`,
    );
    assert.match(row?.detail ?? '', /"actor":"operator token"/);
    assert.deepEqual(await web('/api/v1/rate-limit'), { limitHour: 1, limitDay: 9 });
    reader.close();
    operator.close();
  });

  it('no incident: an empty list, and an order about one that nobody knows is refused', async () => {
    assert.deepEqual(await web('/api/v1/incidents'), {});
    const operator = client(OPERATOR_TOKEN);
    const order = { incident: 'incident-none', resolution: Resolution.CONFIRM, reason: 'a test' };
    const refused = await callUnary(operator, operator.resolveIncident, order).catch(SentinelError.from);
    assert.equal((refused as SentinelError).code, 'NOT_FOUND');
    operator.close();
  });
});
