import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AnomalySeverity, AnomalyType } from '@sentinel/contracts/sentinel/v1/anomaly.js';
import { CheckpointReport, CheckpointReport_Event } from '@sentinel/contracts/sentinel/v1/training.js';
import { EngineStub } from '@sentinel/monitor-kit/testing/engine-stub';
import { temporaryFolder, until } from '@sentinel/monitor-kit/testing/until';
import { SentinelError } from '@sentinel/service-kit/errors';
import { freePort } from '@sentinel/test-kit';
import { RankClient, senderOf, timeOf } from './testing/job.js';
import { trainingMonitor } from './testing/monitor-process.js';

const RANKS = 4;
const EQUAL = ['aa', 'aa', 'aa', 'aa'];

async function job(socket: string, differing = {}): Promise<RankClient[]> {
  const clients = Array.from({ length: RANKS }, (_, rank) => new RankClient(socket, senderOf(RANKS, rank, differing)));
  for (const client of clients) await client.hello();
  return clients;
}

/** An engine, and a monitor that reaches it. */
async function begin(t: TestContext) {
  const engine = new EngineStub();
  await engine.start();
  t.after(() => engine.stop());
  const monitor = trainingMonitor(temporaryFolder());
  monitor.start({ correlation_engine_endpoint: engine.address });
  return { engine, monitor, metrics: await monitor.ready() };
}

async function round(clients: readonly RankClient[], step: number, digests: readonly string[]): Promise<void> {
  for (const client of clients) await client.replicas(step, digests);
}

test('a replica that differs is named to the engine with all answers, once', async (t) => {
  const { engine, monitor, metrics } = await begin(t);
  const ranks = await job(monitor.socket);
  for (let step = 1; step <= 5; step += 1) await round(ranks, step, EQUAL);
  for (let step = 6; step <= 9; step += 1) await round(ranks, step, ['aa', 'aa', 'bb', 'aa']);
  await until('a record', () => engine.received.length > 0);
  await until('all analysed', () => ranks.every(({ analysed }) => analysed === 9n));
  assert.equal(engine.received.length, 1);
  const [record] = engine.received;
  assert.deepEqual([record?.node, record?.sequence, record?.testBuild], ['node-1', 1n, false]);
  assert.deepEqual(new Set(engine.callers), new Set(['service']));
  const [event] = record?.events ?? [];
  assert.equal(event?.type, AnomalyType.REPLICA_MISMATCH);
  assert.equal(event?.severity, AnomalySeverity.CRITICAL);
  assert.equal(event?.source, 'training-monitor/replica');
  assert.deepEqual(event?.gpus, ['GPU-2']);
  assert.deepEqual(event?.job, { id: 'job', gpus: 4, rank: 2, step: 6n, framework: 'pytorch 2.13.0 ddp' });
  assert.equal(event?.comparison?.agreedBefore, 5n);
  const answers = event?.comparison?.answers.map(({ gpu, node, digest }) => [gpu, node, digest[0]]);
  assert.deepEqual(answers?.sort(), [
    ['GPU-0', 'node-1', 0xaa],
    ['GPU-1', 'node-1', 0xaa],
    ['GPU-2', 'node-1', 0xbb],
    ['GPU-3', 'node-1', 0xaa],
  ]);
  const page = await (await fetch(`http://${metrics}/metrics`)).text();
  assert.match(page, /sentinel_training_records_total\{kind="replicas"\} 36\n/);
  assert.match(page, /sentinel_training_anomalies_total\{type="REPLICA_MISMATCH",severity="CRITICAL"\} 1\n/);
  for (const rank of ranks) rank.close();
  assert.equal(await monitor.end('SIGTERM'), 0);
});

test('what was durable survives kill -9 and an engine that is away, under its sequence and once', async (t) => {
  const engine = new EngineStub();
  // Not of the system's choice, which could give it to another process before the engine listens.
  const address = `127.0.0.1:${await freePort()}`;
  const monitor = trainingMonitor(temporaryFolder());
  const config = { correlation_engine_endpoint: address };
  for (let life = 1; life <= 3; life += 1) {
    monitor.start(config);
    const metrics = await monitor.ready();
    const ranks = await job(monitor.socket, { runId: `run ${life}` });
    await round(ranks, life, ['aa', 'bb', 'aa', 'aa']);
    for (;;) {
      const page = await (await fetch(`http://${metrics}/metrics`)).text();
      if (page.includes(`sentinel_training_spool_records ${life}\n`)) break;
    }
    for (const rank of ranks) rank.cut();
    await monitor.end('SIGKILL');
  }
  engine.acknowledging = false;
  await engine.start(address);
  t.after(() => engine.stop());
  monitor.start(config);
  await until('three records', () => engine.received.length === 3);
  // Received but not acknowledged: owed again, the same.
  await monitor.end('SIGKILL');
  engine.acknowledging = true;
  monitor.start(config);
  await until('three acknowledged', () => engine.committed === 3n);
  await monitor.ready();
  const ranks = await job(monitor.socket, { runId: 'run 4' });
  await round(ranks, 4, ['aa', 'bb', 'aa', 'aa']);
  await until('the fourth', () => engine.committed === 4n);
  const records = engine.distinct();
  assert.deepEqual([...records.keys()], [1n, 2n, 3n, 4n]);
  assert.deepEqual(
    [...records.values()].map(({ events }) => events.map(({ job: of }) => of?.step)),
    [[1n], [2n], [3n], [4n]],
  );
  assert.equal(new Set(engine.received.map(({ spoolId }) => Buffer.from(spoolId).toString('hex'))).size, 1);
  assert.equal(await monitor.end('SIGTERM'), 0);
});

test('what a test build saw and the engine refuses does not keep back what comes after it', async (t) => {
  const engine = new EngineStub();
  engine.refusing = ({ testBuild }) => {
    const refusal = {
      code: 'PERMISSION_DENIED',
      reason: 'TEST_BUILD_REFUSED',
      message: 'no test builds here',
    } as const;
    return testBuild ? new SentinelError(refusal) : null;
  };
  await engine.start();
  t.after(() => engine.stop());
  const monitor = trainingMonitor(temporaryFolder());
  monitor.start({ correlation_engine_endpoint: engine.address });
  await monitor.ready();
  await round(await job(monitor.socket, { testBuild: true, runId: 'test' }), 1, ['aa', 'bb', 'aa', 'aa']);
  await until('given up', () => engine.committed === 1n);
  await round(await job(monitor.socket), 1, ['aa', 'aa', 'aa', 'cc']);
  await until('the next', () => engine.committed === 2n);
  const sources = engine.received.map(({ events }) => events.map(({ source, gpus }) => [source, ...gpus]));
  assert.deepEqual(sources, [[['training-monitor/given-up']], [['training-monitor/replica', 'GPU-3']]]);
  assert.match(monitor.stdout, /records that the engine refuses were given up/);
  assert.equal(await monitor.end('SIGTERM'), 0);
});

test('checkpoints that were saved or loaded go to the engine once, as no anomaly', async (t) => {
  const { engine, monitor, metrics } = await begin(t);
  const rank = new RankClient(monitor.socket, senderOf(1));
  await rank.hello();
  const saved = { step: 9n, timeUs: timeOf(9), path: '/checkpoints/9.pt', event: CheckpointReport_Event.SAVED };
  const digested = {
    algorithm: 'sha256',
    digest: Buffer.alloc(32, 7),
    bytes: 1_024n,
    tensors: 12n,
    subject: Buffer.alloc(16, 1),
  };
  const value = CheckpointReport.fromPartial({ ...saved, ...digested });
  await rank.send({ $case: 'checkpoint', value });
  await rank.send({ $case: 'checkpoint', value: { ...value, step: 10n, event: CheckpointReport_Event.LOADED } });
  await rank.send({ $case: 'checkpoint', value: { ...value, step: 11n } });
  await until('all', () => engine.received.flatMap(({ events }) => events).length === 3);
  const events = engine.received.flatMap((record) => record.events);
  assert.deepEqual(
    events.map(({ type, job: of, saved: what, loaded }) => [type, of?.step, what?.path, loaded?.path]),
    [
      [AnomalyType.UNSPECIFIED, 9n, '/checkpoints/9.pt', undefined],
      [AnomalyType.UNSPECIFIED, 10n, undefined, '/checkpoints/9.pt'],
      [AnomalyType.UNSPECIFIED, 11n, '/checkpoints/9.pt', undefined],
    ],
  );
  const [part] = events[0]?.saved?.parts ?? [];
  assert.deepEqual([part?.rank, part?.tensors, part?.bytes, part?.digest[31]], [0, 12n, 1_024n, 7]);
  assert.deepEqual(
    events.map(({ saved: what, loaded }) => (what ?? loaded)?.parts[0]?.subject.length),
    [16, 16, 16],
  );
  const page = await (await fetch(`http://${metrics}/metrics`)).text();
  assert.doesNotMatch(page, /sentinel_training_anomalies_total\{.*\} [1-9]/);
  assert.equal(await monitor.end('SIGTERM'), 0);
});

test('SIGHUP reads the limits again; a wrong file changes nothing and is named', async (t) => {
  const { engine, monitor } = await begin(t);
  appendFileSync(monitor.thresholds, '\nnonsense: 1\n');
  monitor.signal('SIGHUP');
  await until('the refusal', () => /thresholds\.yaml:\d+: nonsense: unknown key/.test(monitor.stdout));
  writeFileSync(monitor.thresholds, 'cross_rank: { weight_checksum: { enabled: false } }\n');
  monitor.signal('SIGHUP');
  await until('the change', () => /limits changed/.test(monitor.stdout));
  const ranks = await job(monitor.socket);
  await round(ranks, 1, ['aa', 'bb', 'aa', 'aa']);
  await until('analysed', () => ranks.every(({ analysed }) => analysed === 1n));
  const [rank] = ranks;
  await rank?.send({
    $case: 'product',
    value: { step: 2n, timeUs: 1n, op: 'linear', layer: 'l', shape: '1x1x1', dtype: 'f32', relativeError: Number.NaN },
  });
  await until('the next finding', () => engine.received.length > 0);
  assert.deepEqual(
    engine.received.flatMap(({ events }) => events.map(({ source }) => source)),
    ['training-monitor/product-checksum'],
  );
  assert.equal(await monitor.end('SIGTERM'), 0);
});

test('limits that are wrong end the start with status 78, naming file, line and key', async () => {
  const monitor = trainingMonitor(temporaryFolder());
  writeFileSync(monitor.thresholds, 'loss:\n  window_size: many\n');
  const child = monitor.start({});
  const status = await new Promise((resolve) => child.on('close', resolve));
  assert.equal(status, 78);
  assert.match(monitor.stderr, /thresholds\.yaml:2: loss\.window_size: expected a whole number from 10 to 10000/);
});

test('a second analyser on the same socket is refused; what a killed one left is taken over', async (t) => {
  const engine = new EngineStub();
  await engine.start();
  t.after(() => engine.stop());
  const monitor = trainingMonitor(temporaryFolder());
  const config = { correlation_engine_endpoint: engine.address };
  monitor.start(config);
  await monitor.ready();
  const second = trainingMonitor(temporaryFolder());
  const child = second.start({ ...config, socket_path: monitor.socket });
  assert.equal(await new Promise((resolve) => child.on('close', resolve)), 78);
  assert.match(second.stdout, /another analyser listens on/);
  await monitor.end('SIGKILL');
  second.start({ ...config, socket_path: monitor.socket, data_dir: join(second.folder, 'other') });
  await second.ready();
  assert.equal(await second.end('SIGTERM'), 0);
});
