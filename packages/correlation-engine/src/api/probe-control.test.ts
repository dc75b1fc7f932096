import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ProbeControlServiceClient } from '@sentinel/contracts/sentinel/v1/probe_control.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { callUnary, createClient } from '@sentinel/service-kit/grpc-client';
import { TestAgent } from '../testing/agent.js';
import { OPERATOR_TOKEN, TestEngine } from '../testing/engine.js';

const NIGHT = 'name: night\nprobes:\n  - { type: AES, period_seconds: 30 }\n';
const DEADLINE_MS = 10_000;
const HOUR_MS = 3_600_000n;

describe('orders about probing', () => {
  const engine = new TestEngine();
  const agent = () => new TestAgent(engine.grpc, { node: 'n', devices: ['GPU-a', 'GPU-b'] });
  let client = {} as ProbeControlServiceClient;
  let first = {} as TestAgent;
  before(async () => {
    await engine.start();
    client = createClient(ProbeControlServiceClient, { address: engine.grpc, tls: null, token: OPERATOR_TOKEN });
    first = agent();
    await first.connect();
  });
  after(async () => {
    first.close();
    client.close();
    await engine.remove();
  });

  const pause = (gpu: string, durationMs = 0n) =>
    callUnary(client, client.pauseDevice, { gpu, durationMs, reason: 'riser swap' }, DEADLINE_MS);
  const schedule = (node: string, yaml: string) =>
    callUnary(client, client.setSchedule, { node, yaml, reason: 'night shift' }, DEADLINE_MS);
  const pauses = ({ messages }: TestAgent) =>
    messages.flatMap((message) =>
      message.$case === 'pause' ? [message.value.devices.map(({ deviceId }) => deviceId)] : [],
    );
  const schedules = ({ messages }: TestAgent) =>
    messages.flatMap((message) => (message.$case === 'schedule' ? [message.value] : []));
  const codeOf = async (call: Promise<unknown>) => {
    try {
      await call;
      return 'ok';
    } catch (error) {
      return SentinelError.from(error).code;
    }
  };

  it('tells an agent nothing as long as nobody said anything', () => {
    assert.deepEqual([pauses(first), schedules(first)], [[], []]);
  });

  it('pauses and resumes: the agent hears the whole set each time', async () => {
    assert.equal((await pause('GPU-a')).untilUs, 0n);
    const { gpu, untilUs } = await pause('GPU-b', HOUR_MS);
    assert.deepEqual([gpu, untilUs > BigInt(Date.now()) * 1000n], ['GPU-b', true]);
    await callUnary(client, client.resumeDevice, { gpu: 'GPU-a', reason: 'done' }, DEADLINE_MS);
    await first.until(() => pauses(first).length >= 3);
    assert.deepEqual(pauses(first), [['GPU-a'], ['GPU-a', 'GPU-b'], ['GPU-b']]);
  });

  it('sets a schedule, refuses what is none, and names node and device that are not there', async () => {
    const { version } = await schedule('n', NIGHT);
    await first.until(() => schedules(first).some(({ yaml }) => yaml === NIGHT));
    assert.equal(schedules(first).at(-1)?.version, version);
    assert.equal(await codeOf(schedule('n', 'name: x\nprobes: []\n')), 'INVALID_ARGUMENT');
    assert.equal(await codeOf(schedule('other', NIGHT)), 'NOT_FOUND');
    assert.equal(await codeOf(pause('GPU-z')), 'NOT_FOUND');
    const stranger = createClient(ProbeControlServiceClient, { address: engine.grpc, tls: null, token: '' });
    const asked = callUnary(stranger, stranger.resumeDevice, { gpu: 'GPU-b', reason: 'x' }, DEADLINE_MS);
    assert.equal(await codeOf(asked), 'UNAUTHENTICATED');
    stranger.close();
  });

  it('tells it again after a restart of the engine, and the ledger gets every order', async () => {
    await engine.stop();
    await engine.start();
    const second = agent();
    await second.connect(engine.grpc);
    await second.until(() => schedules(second).length > 0);
    assert.deepEqual([pauses(second), schedules(second).map(({ yaml }) => yaml)], [[['GPU-b']], [NIGHT]]);
    second.close();
    const rows = await engine.sql<{ detail: string }>('select detail from outbox order by commit_seq');
    const told = rows.map(({ detail }) => JSON.parse(detail) as { event: string; actor?: string; reason?: string });
    const orders = told.filter(({ event }) => /^(probing|schedule)_/.test(event));
    assert.deepEqual(
      orders.map(({ event }) => event),
      ['probing_paused', 'probing_paused', 'probing_resumed', 'schedule_set'],
    );
    assert.ok(orders.every(({ actor, reason }) => actor !== undefined && actor !== '' && reason !== undefined));
  });
});
