import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type AnomalyEvent, AnomalySeverity, AnomalyType } from '@sentinel/contracts/sentinel/v1/anomaly.js';
import { CorrelationServiceClient } from '@sentinel/contracts/sentinel/v1/health.js';
import { callUnary, createClient } from '@sentinel/service-kit/grpc-client';
import { replayOf } from '../replay/testing/run-replay.js';
import { TestAgent } from '../testing/agent.js';
import { OPERATOR_TOKEN, TestEngine } from '../testing/engine.js';
import { lostRound, RIGHT, softEvent, TestMonitor } from '../testing/monitor.js';

/** One on the node of the monitor, and those that its job runs on elsewhere. */
const GPUS = ['CPU-node-1', 'CPU-node-2', 'CPU-node-3', 'CPU-node-4'];

describe('what monitors say', () => {
  const engine = new TestEngine({ gates: { dwell_seconds: 0, deep_test_seconds: 0 } });
  const agents: TestAgent[] = [];
  before(async () => {
    await engine.start();
    for (const node of ['node-1', 'node-2', 'node-3']) {
      const agent = new TestAgent(engine.grpc, { node });
      await agent.connect();
      agents.push(agent);
    }
  });
  after(async () => {
    for (const agent of agents) agent.close();
    await engine.remove();
  });

  const records = async (): Promise<number> =>
    Number((await engine.sql<{ n: string }>(`select count(*) as n from records where kind = 'monitor-report'`))[0]?.n);
  const marks = (monitor: TestMonitor) =>
    engine.sql('select committed_through from spools where spool_id = $1', [monitor.spoolId.toString('hex')]);

  it('is committed with its watermark, and acknowledged then', async () => {
    const monitor = new TestMonitor(engine.grpc);
    const before = await records();
    const sample = 'sentinel_anomaly_events_total{type="GRADIENT_NORM_SPIKE",severity="WARNING"}';
    const counted = await engine.metric(sample);
    monitor.record([softEvent('CPU-node-1'), softEvent('CPU-node-1')]);
    monitor.record([softEvent('CPU-node-1')]);
    monitor.send(1n, 2n);
    await monitor.committed(2n);
    assert.deepEqual([await records(), await marks(monitor)], [before + 2, [{ committed_through: '2' }]]);
    assert.equal(await engine.metric(sample), counted + 3);
    monitor.close();
  });

  it('counts once when repeated, and is acknowledged again', async () => {
    const monitor = new TestMonitor(engine.grpc);
    for (let i = 0; i < 3; i += 1) monitor.record([softEvent('CPU-node-1')]);
    const before = await records();
    monitor.send(1n, 2n, 2n, 1n, 3n, 3n);
    await monitor.committed(3n);
    monitor.committedThrough = 0n;
    monitor.sendAgain();
    await monitor.committed(3n);
    assert.equal(await records(), before + 3);
    monitor.close();
  });

  it('is refused out of order, and taken in order afterwards', async () => {
    const monitor = new TestMonitor(engine.grpc);
    for (let i = 0; i < 3; i += 1) monitor.record([softEvent('CPU-node-1')]);
    monitor.send(1n, 3n);
    assert.equal((await monitor.failed()).reason, 'SEQUENCE_GAP');
    monitor.sendAgain();
    await monitor.committed(3n);
    monitor.close();
  });

  it('is not read faster than it is committed, and all of it is', async () => {
    const monitor = new TestMonitor(engine.grpc);
    for (let i = 0; i < 500; i += 1) monitor.record([softEvent('CPU-node-2')]);
    const before = await records();
    monitor.sendAgain();
    // A device of another node is told of and harms nothing.
    await monitor.committed(500n);
    assert.equal(await records(), before + 500);
    assert.deepEqual(monitor.warnings, ['CPU-node-2 accuses nobody: it is a device of node-2, not of node-1.']);
    monitor.close();
  });

  it('tells in words of a device that nobody has named, once', async () => {
    const monitor = new TestMonitor(engine.grpc);
    for (let i = 0; i < 3; i += 1) monitor.record([softEvent('GPU-nowhere'), softEvent('CPU-node-1')]);
    monitor.send(1n, 2n, 3n);
    await monitor.committed(3n);
    assert.deepEqual(monitor.warnings, ['GPU-nowhere accuses nobody: no agent has named such a device.']);
    monitor.close();
  });

  it('two streams of one spool: the newer one goes on', async () => {
    const monitor = new TestMonitor(engine.grpc);
    monitor.record([softEvent('CPU-node-1')]);
    monitor.send(1n);
    await monitor.committed(1n);
    const twin = new TestMonitor(engine.grpc, { spoolId: monitor.spoolId });
    for (let i = 0; i < 2; i += 1) twin.record([softEvent('CPU-node-1')]);
    twin.send(2n);
    await twin.committed(2n);
    assert.equal((await monitor.failed()).reason, 'STALE_OWNER');
    twin.close();
    monitor.close();
  });

  it('of a node whose agent never said hello waits for that', async () => {
    const monitor = new TestMonitor(engine.grpc, { node: 'node-9' });
    monitor.record([softEvent('CPU-node-9')]);
    monitor.send(1n);
    const error = await monitor.failed();
    assert.deepEqual(
      [error.code, error.reason, error.retryAfterMs > 0],
      ['FAILED_PRECONDITION', 'HELLO_REQUIRED', true],
    );
    const agent = new TestAgent(engine.grpc, { node: 'node-9' });
    await agent.connect();
    monitor.sendAgain();
    await monitor.committed(1n);
    assert.deepEqual(monitor.warnings, []);
    agent.close();
    monitor.close();
  });

  it('may not go on with the spool of the agent', async () => {
    const monitor = new TestMonitor(engine.grpc, { spoolId: agents[0]?.spoolId ?? Buffer.alloc(0) });
    monitor.record([softEvent('CPU-node-1')]);
    monitor.send(1n);
    assert.equal((await monitor.failed()).field, 'spool_id');
    monitor.close();
  });

  it('needs the token of the installation', async () => {
    for (const [token, reason] of [
      ['', 'UNAUTHENTICATED'],
      [OPERATOR_TOKEN, 'ROLE_NOT_ALLOWED'],
      ['guess', 'UNAUTHENTICATED'],
    ] as const) {
      const monitor = new TestMonitor(engine.grpc, { token });
      monitor.record([softEvent('CPU-node-1')]);
      monitor.send(1n);
      const error = await monitor.failed();
      assert.ok([error.reason, error.code].includes(reason), `${token}: ${error.code} ${error.reason}`);
      monitor.close();
    }
  });

  it('of a test build is refused where none is expected', async () => {
    const monitor = new TestMonitor(engine.grpc, { testBuild: true });
    monitor.record([softEvent('CPU-node-1')]);
    monitor.send(1n);
    assert.equal((await monitor.failed()).reason, 'TEST_BUILD_REFUSED');
    monitor.close();
  });

  const lost = lostRound(GPUS, 1n);
  const { comparison } = lost;
  assert.ok(comparison !== undefined);
  const withAnswers = (answers: object[]) => ({ ...lost, comparison: { ...comparison, answers } as never });
  const wrong: [string, Partial<AnomalyEvent>][] = [
    ['type', { type: AnomalyType.UNSPECIFIED }],
    ['type', { type: 99 as AnomalyType }],
    ['severity', { severity: AnomalySeverity.UNSPECIFIED }],
    ['source', { source: 'Training Monitor' }],
    ['source', { source: 'a'.repeat(65) }],
    ['time_us', { timeUs: 2n ** 63n }],
    ['gpus', { gpus: Array.from({ length: 65 }, (_, i) => `GPU-${i}`) }],
    ['gpus', { gpus: ['GPU-1', 'GPU-1'] }],
    ['gpus[1]', { gpus: ['GPU-1', 'GPU 2'] }],
    ['job.id', { job: { id: 'j'.repeat(129), gpus: 1, rank: 0, step: 0n, framework: '' } }],
    ['job.id', { job: { id: 'a\u001b[2J', gpus: 1, rank: 0, step: 0n, framework: '' } }],
    ['job.step', { job: { id: 'j', gpus: 1, rank: 0, step: 2n ** 60n, framework: '' } }],
    ['detail', { detail: 'ü'.repeat(251) }],
    ['comparison', { type: AnomalyType.REPLAY_MISMATCH }],
    ['comparison', { comparison }],
    ['job.id', { ...lost, job: undefined as never }],
    ['comparison.answers', withAnswers([{ node: '', gpu: 'CPU-node-1', rank: 0, digest: RIGHT, again: false }])],
    ['comparison.answers', { ...lost, gpus: ['CPU-other'] }],
    ['comparison.answers', { ...lost, gpus: [] }],
    [
      'comparison.answers[1].digest',
      withAnswers(comparison.answers.map((a, i) => (i === 1 ? { ...a, digest: Buffer.alloc(3) } : a))),
    ],
    ['comparison.answers[0].node', withAnswers(comparison.answers.map((a) => ({ ...a, node: '../etc' })))],
    ['comparison.answers[3].gpu', withAnswers(comparison.answers.map((a, i) => (i === 3 ? { ...a, gpu: 'a b' } : a)))],
  ];
  for (const [field, event] of wrong) {
    it(`is refused with a wrong ${field}, which the error names`, async () => {
      const monitor = new TestMonitor(engine.grpc);
      monitor.record([softEvent('CPU-node-1'), { ...softEvent('CPU-node-1'), ...event }]);
      monitor.send(1n);
      const error = await monitor.failed();
      assert.deepEqual([error.code, error.field], ['INVALID_ARGUMENT', `events[1].${field}`]);
      assert.deepEqual(await marks(monitor), []);
      monitor.close();
    });
  }

  const checkpoint = {
    ...{ source: 'training-monitor/checkpoint', job: { id: 'job-9', gpus: 1, rank: 0, step: 9n, framework: '' } },
    saved: {
      ...{ path: '/checkpoints/9.pt', algorithm: 'sha256', moreParts: 0 },
      parts: [{ rank: 0, digest: RIGHT, tensors: 12n, bytes: 64n, subject: Buffer.alloc(16, 5) }],
    },
  };

  it('that a checkpoint was saved is for the ledger, once', async () => {
    const monitor = new TestMonitor(engine.grpc);
    monitor.record([checkpoint]);
    monitor.send(1n, 1n);
    await monitor.committed(1n);
    monitor.sendAgain();
    await monitor.committed(1n);
    monitor.close();
    const rows = await engine.sql<{ n: string }>(
      `select count(*) as n from outbox where detail::jsonb->>'event' = 'checkpoint_saved' and detail::jsonb->>'path' = '/checkpoints/9.pt'`,
    );
    assert.equal(Number(rows[0]?.n), 1);
  });

  it('one that is loaded is held against it: what differs is for the ledger', async () => {
    const monitor = new TestMonitor(engine.grpc);
    const { saved, ...others } = checkpoint;
    const damaged = saved.parts.map((part) => ({ ...part, digest: Buffer.alloc(32, 9) }));
    monitor.record([
      { ...others, loaded: saved },
      { ...others, loaded: { ...saved, parts: damaged } },
    ]);
    monitor.send(1n);
    await monitor.committed(1n);
    monitor.close();
    const rows = await engine.sql<{ detail: string }>(
      `select detail from outbox where detail::jsonb->>'type' = 'CHECKPOINT_DIVERGENCE' and detail::jsonb->>'path' = '/checkpoints/9.pt'`,
    );
    assert.deepEqual(
      rows.map(({ detail }) => /is not what rank 0 saved in step 9/.test(detail)),
      [true],
    );
    assert.equal(
      await engine.metric('sentinel_job_comparisons_total{type="CHECKPOINT_DIVERGENCE",outcome="not_as_saved"}'),
      1,
    );
  });

  for (const [field, saved] of [
    ['path', { path: '' }],
    ['path', { path: 'a\nb' }],
    ['algorithm', { algorithm: 'SHA 256' }],
    ['parts', { parts: [] }],
    ['parts[0].digest', { parts: [{ rank: 0, digest: Buffer.alloc(65), tensors: 1n, bytes: 1n, subject: RIGHT }] }],
    ['parts[0].subject', { parts: [{ rank: 0, digest: RIGHT, tensors: 1n, bytes: 1n, subject: Buffer.alloc(65) }] }],
    ['parts[0].tensors', { parts: [{ rank: 0, digest: RIGHT, tensors: 2n ** 60n, bytes: 1n, subject: RIGHT }] }],
  ] as const) {
    it(`a saved checkpoint is refused with a wrong ${field}`, async () => {
      const monitor = new TestMonitor(engine.grpc);
      monitor.record([
        {
          ...checkpoint,
          saved: {
            ...checkpoint.saved,
            ...saved,
            parts: [...('parts' in saved ? saved.parts : checkpoint.saved.parts)],
          },
        },
      ]);
      monitor.send(1n);
      const error = await monitor.failed();
      assert.deepEqual([error.code, error.field], ['INVALID_ARGUMENT', `events[0].saved.${field}`]);
      monitor.close();
    });
  }

  for (const [field, fields] of [
    ['node', { node: 'a b' }],
    ['spool_id', { spoolId: Buffer.alloc(8) }],
    ['sequence', { sequence: 0n }],
    ['created_us', { createdUs: 2n ** 63n }],
    ['build_id', { buildId: 'b\0' }],
    ['events', { events: [] }],
  ] as const) {
    it(`is refused with a wrong ${field} of the record`, async () => {
      const monitor = new TestMonitor(engine.grpc);
      monitor.record([softEvent('CPU-node-1')], fields as never);
      monitor.send(1n);
      const error = await monitor.failed();
      assert.deepEqual([error.code, error.field], ['INVALID_ARGUMENT', field]);
      monitor.close();
    });
  }

  it('that a device lost two rounds quarantines it, and the log replays the same', async () => {
    const monitor = new TestMonitor(engine.grpc);
    monitor.record([softEvent('CPU-node-1'), lostRound(GPUS, 100n)]);
    monitor.record([lostRound(GPUS, 100n), lostRound(GPUS, 200n, true)]);
    monitor.send(1n, 2n);
    await monitor.committed(2n);
    const [device] = await engine.sql<{ state: string }>(`select state from devices where id = 'CPU-node-1'`);
    assert.equal(device?.state, 'QUARANTINED');
    const client = createClient(CorrelationServiceClient, { address: engine.grpc, tls: null, token: '' });
    const { sentences, observations, gates } = await callUnary(client, client.explainDecision, { gpu: 'CPU-node-1' });
    client.close();
    assert.match(sentences.join('\n'), /the device as a whole in a job \(2 counted, 1 in answer\)/);
    assert.deepEqual([observations.length, observations[0]?.node, gates.length], [2, 'node-1', 7]);
    const sample = (outcome: string) =>
      engine.metric(`sentinel_job_comparisons_total{type="REPLICA_MISMATCH",outcome="${outcome}"}`);
    assert.deepEqual([await sample('counted'), await sample('repeated')], [2, 1]);
    monitor.close();
    const report = await replayOf(engine.folder);
    assert.equal(report.disagreement, null);
    assert.ok((report.compared.observations ?? 0) >= 2);
  });
});
