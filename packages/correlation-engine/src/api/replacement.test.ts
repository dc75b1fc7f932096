import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import { CorrelationServiceClient } from '@sentinel/contracts/sentinel/v1/health.js';
import { callUnary, createClient } from '@sentinel/service-kit/grpc-client';
import { MAX_ARCHIVED } from '../lifecycle/archive.js';
import { TestAgent } from '../testing/agent.js';
import { TestEngine } from '../testing/engine.js';

const DEVICE = 'CPU-place';
const OLD = `${DEVICE}@S1`;

describe('hardware that is replaced', () => {
  const engine = new TestEngine();
  let queries: CorrelationServiceClient;
  before(async () => {
    await engine.start();
    queries = createClient(CorrelationServiceClient, { address: engine.grpc, tls: null, token: '' });
  });
  after(async () => {
    queries.close();
    await engine.remove();
  });
  const health = async (gpu: string) => (await callUnary(queries, queries.queryGpuHealth, { gpu })).health;
  const counted = (gpu: string) =>
    engine.sql<{ failures: string }>('select failures from counters where device_id = $1 and failures > 0', [gpu]);

  it('keeps its history in every table, and what is there now starts with nothing, over a restart too', async () => {
    const agent = new TestAgent(engine.grpc, { node: 'n', devices: [DEVICE], serial: 'S1' });
    await agent.connect();
    agent.sendAll(agent.batch([{}, { index: 1, fails: [{ sm: 1 }] }]));
    await agent.archived(1n);
    agent.close();
    const swapped = new TestAgent(engine.grpc, { node: 'n', devices: [DEVICE], serial: 'S2' });
    await swapped.connect();
    swapped.sendAll(swapped.batch([{ index: 2 }]));
    await swapped.committed(1n);
    const look = async () => {
      const [now, old] = [await health(DEVICE), await health(OLD)];
      assert.deepEqual([now?.state, now?.failures, now?.executions, now?.serial], [GpuState.HEALTHY, 0n, 4n, 'S2']);
      assert.deepEqual([old?.state, old?.failures, old?.serial], [GpuState.SUSPECT, 1n, 'S1']);
      assert.equal(old?.replacedBy, DEVICE);
      const explained = await callUnary(queries, queries.explainDecision, { gpu: OLD });
      assert.deepEqual([explained.observations.length, explained.transitions.length], [1, 1]);
      const range = { startUs: 0n, endUs: 0n, limit: 100, pageToken: '' };
      const history = await callUnary(queries, queries.getGpuHistory, { gpu: OLD, ...range });
      assert.deepEqual(
        history.runs.map(({ index }) => index),
        [1, 0],
      );
      assert.deepEqual([(await counted(OLD)).length, (await counted(DEVICE)).length], [1, 0]);
    };
    await look();
    swapped.close();
    await engine.stop();
    await engine.start();
    queries.close();
    queries = createClient(CorrelationServiceClient, { address: engine.grpc, tls: null, token: '' });
    await look();
  });

  it('goes on with its evidence when it comes back, which is said in words, and its counts are kept once', async () => {
    const back = new TestAgent(engine.grpc, { node: 'n', devices: [DEVICE], serial: 'S1' });
    await back.connect();
    back.sendAll(back.batch([{ index: 3, fails: [{ sm: 1 }] }]));
    await back.committed(1n);
    assert.deepEqual([(await health(DEVICE))?.state, (await health(DEVICE))?.failures], [GpuState.SUSPECT, 1n]);
    const { sentences } = await callUnary(queries, queries.explainDecision, { gpu: DEVICE });
    assert.match(sentences.join(' '), /\(serial number S1\) was known when it came back on .* is under CPU-place@S1\./);
    back.close();
    const swapped = new TestAgent(engine.grpc, { node: 'n', devices: [DEVICE], serial: 'S2' });
    await swapped.connect();
    assert.deepEqual([(await health(DEVICE))?.state, (await health(DEVICE))?.executions], [GpuState.HEALTHY, 0n]);
    assert.equal((await health(OLD))?.failures, 2n);
    swapped.close();
  });

  it('is given up beyond a bound, and so is every row of it', async () => {
    const copies = `select id || i, node, state, jsonb_set(body::jsonb, '{id}', to_jsonb(id || i))::json
      from devices, generate_series(1, $1::int) i where id = $2`;
    await engine.sql(`insert into devices (id, node, state, body) ${copies}`, [MAX_ARCHIVED - 1, OLD]);
    await engine.stop();
    await engine.start();
    const rows = async () => [
      await engine.sql('select 1 from devices where id = $1', [`${DEVICE}@S2`]),
      await engine.sql('select 1 from counters where device_id = $1', [`${DEVICE}@S2`]),
    ];
    assert.deepEqual(
      (await rows()).map(({ length }) => length),
      [1, 1],
    );
    const other = new TestAgent(engine.grpc, { node: 'n', devices: [DEVICE], serial: 'S3' });
    await other.connect();
    other.close();
    assert.deepEqual(await rows(), [[], []], 'what nothing speaks against goes first');
    assert.equal(await engine.metric('sentinel_forgotten_total{what="archived_device"}'), 1);
  });
});
