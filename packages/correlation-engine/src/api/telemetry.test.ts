import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CorrelationServiceClient, type HistorySample } from '@sentinel/contracts/sentinel/v1/health.js';
import { AgentEvent_Kind as Kind, type TelemetrySample } from '@sentinel/contracts/sentinel/v1/probe.js';
import { callUnary, createClient } from '@sentinel/service-kit/grpc-client';
import { TestAgent } from '../testing/agent.js';
import { TestEngine } from '../testing/engine.js';

describe('telemetry', () => {
  const engine = new TestEngine();
  let queries: CorrelationServiceClient;
  let agent: TestAgent;
  before(async () => {
    await engine.start();
    queries = createClient(CorrelationServiceClient, { address: engine.grpc, tls: null, token: '' });
    agent = new TestAgent(engine.grpc, { node: 'warm' });
    await agent.connect();
  });
  after(async () => {
    agent.close();
    queries.close();
    await engine.remove();
  });

  const sample = (values: Record<string, number>, over: Partial<TelemetrySample> = {}): TelemetrySample => ({
    deviceId: agent.device,
    timeUs: BigInt(Date.now()) * 1000n,
    values,
    texts: {},
    partial: false,
    ...over,
  });
  const send = async (...samples: TelemetrySample[]): Promise<void> => {
    const sequence = agent.payload({ $case: 'telemetry', value: { samples } });
    agent.sendAll(sequence);
    await agent.archived(sequence);
  };
  const shown = async () => (await callUnary(queries, queries.queryGpuHealth, { gpu: agent.device })).telemetry;
  const history = (limit: number, pageToken = '') =>
    callUnary(queries, queries.getGpuHistory, { gpu: agent.device, startUs: 0n, endUs: 0n, limit, pageToken });

  it('shows what a device said last, and nothing before', async () => {
    assert.equal(await shown(), undefined);
    await send(sample({ temperature_c: 61.5, ecc_uncorrected_volatile_total: 0 }, { texts: { vbios: '96.00' } }));
    await send(sample({ temperature_c: 64 }, { partial: true }));
    const telemetry = await shown();
    assert.deepEqual(telemetry?.values, { temperature_c: 64, ecc_uncorrected_volatile_total: 0 });
    assert.deepEqual(telemetry?.texts, { vbios: '96.00' });
    const response = await fetch(`http://${engine.http}/api/v1/gpu/${agent.device}`);
    const body = (await response.json()) as { telemetry: { values: Record<string, number> } };
    assert.equal(body.telemetry.values['temperature_c'], 64);
  });

  it('keeps samples of the own devices alone', async () => {
    const other = new TestAgent(engine.grpc, { node: 'cold' });
    await other.connect();
    const sequence = other.payload({ $case: 'telemetry', value: { samples: [sample({ temperature_c: -40 })] } });
    other.sendAll(sequence);
    await other.archived(sequence);
    assert.equal((await shown())?.values['temperature_c'], 64);
    other.close();
  });

  it('has runs, samples and events in the history, page by page', async () => {
    agent.sendAll(agent.batch());
    const event = { kind: Kind.LOUD_FAULT, timeUs: BigInt(Date.now()) * 1000n, deviceId: agent.device };
    const sequence = agent.payload({ $case: 'events', value: { events: [{ ...event, detail: 'Xid 79\u001b[2J' }] } });
    agent.sendAll(sequence);
    await agent.archived(sequence);
    const samples: HistorySample[] = [];
    const counts = { runs: 0, events: 0 };
    let pageToken = '';
    do {
      const page = await history(1, pageToken);
      assert.ok(page.runs.length + page.telemetry.length + page.events.length <= 1);
      samples.push(...page.telemetry);
      counts.runs += page.runs.length;
      for (const { event: name, detail } of page.events) {
        counts.events += 1;
        assert.deepEqual([name, detail], ['loud_fault', 'Xid 79 [2J']);
      }
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    assert.deepEqual(counts, { runs: 1, events: 1 });
    assert.deepEqual(
      samples.map(({ partial, values }) => [partial, values['temperature_c']]),
      [
        [false, -40],
        [true, 64],
        [false, 61.5],
      ],
    );
  });

  it('tells of a loud fault in log, metric and explanation', async () => {
    const line = engine.lines.find(({ message }) => String(message).startsWith('loud fault'));
    assert.match(String(line?.['message']), /Xid 79/);
    assert.equal(line?.['device'], agent.device);
    assert.equal(await engine.metric('sentinel_loud_faults_total'), 1);
    const { sentences } = await callUnary(queries, queries.explainDecision, { gpu: agent.device });
    assert.ok(
      sentences.some((sentence) => /^One loud fault reported by its agent, .*: Xid 79/.test(sentence)),
      sentences.join('\n'),
    );
  });

  it('refuses what is no telemetry, and says which field', async () => {
    const bad = new TestAgent(engine.grpc, { node: 'bad' });
    await bad.connect();
    const samples = [sample({ 'no name': 1 })];
    bad.sendAll(bad.payload({ $case: 'telemetry', value: { samples } }));
    const error = await bad.failed();
    assert.deepEqual([error.code, error.field], ['INVALID_ARGUMENT', 'payload.telemetry.samples[0].values']);
    bad.close();
  });

  it('knows loud faults after a start, and telemetry when it is sent again', async () => {
    agent.close();
    await engine.stop();
    await engine.start();
    queries.close();
    queries = createClient(CorrelationServiceClient, { address: engine.grpc, tls: null, token: '' });
    assert.equal(await shown(), undefined);
    const { sentences } = await callUnary(queries, queries.explainDecision, { gpu: agent.device });
    assert.ok(sentences.some((sentence) => sentence.includes('Xid 79')));
    await agent.connect(engine.grpc);
    await send(sample({ temperature_c: 50 }));
    assert.deepEqual((await shown())?.values, { temperature_c: 50 });
  });
});
