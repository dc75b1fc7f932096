import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { AnomalySeverity, AnomalyType } from '@sentinel/contracts/sentinel/v1/anomaly.js';
import { WeightReport } from '@sentinel/contracts/sentinel/v1/inference.js';
import { EngineStub } from '@sentinel/monitor-kit/testing/engine-stub';
import { temporaryFolder, until } from '@sentinel/monitor-kit/testing/until';
import { inferenceMonitor } from './testing/monitor-process.js';
import { SenderClient } from './testing/sender-client.js';

const digest = (byte: number) => Buffer.alloc(16, byte);

function weights(byte: number) {
  const shards = [0, 1].map((worker) => ({ worker, digest: digest(worker === 1 ? byte : 0) }));
  return { $case: 'weights' as const, value: WeightReport.fromPartial({ algorithm: 'sum64', shards }) };
}

test('impossible numbers and changed weights are told to the engine, each with its devices', async (t) => {
  const engine = new EngineStub();
  await engine.start();
  t.after(() => engine.stop());
  const monitor = inferenceMonitor(temporaryFolder());
  monitor.start({ correlation_engine_endpoint: engine.address, sampling_rate: 0.5 });
  const metrics = await monitor.ready();
  const sender = new SenderClient(monitor.socket);
  await sender.hello();
  await sender.sample();
  await sender.sample({ blocks: [{ logprobs: [Number.NaN, 0.5] }] });
  await sender.send(weights(1), { seen: 300n, dropped: 4n });
  await sender.send(weights(2), { seen: 310n, dropped: 4n });
  await until('analysed', () => sender.analysed === 4n);
  const events = await until('events', () => {
    const all = engine.received.flatMap((record) => record.events);
    return all.length >= 3 ? all : undefined;
  });
  const told = events.map(({ type, source, severity, gpus }) => [type, source, severity, gpus]);
  const both = ['GPU-0', 'GPU-1'];
  const { INVARIANT_VIOLATION } = AnomalyType;
  assert.deepEqual(told, [
    [INVARIANT_VIOLATION, 'inference-monitor/nonfinite', AnomalySeverity.HIGH, both],
    [INVARIANT_VIOLATION, 'inference-monitor/probability', AnomalySeverity.HIGH, both],
    [INVARIANT_VIOLATION, 'inference-monitor/weights', AnomalySeverity.CRITICAL, ['GPU-1']],
  ]);
  assert.deepEqual(events[2]?.job, { id: 'm', gpus: 0, rank: 1, step: 0n, framework: 'vllm 0.32.0' });
  assert.deepEqual(sender.rates, [0.5]);
  const page = await (await fetch(`http://${metrics}/metrics`)).text();
  for (const line of [
    'records_total{kind="sample"} 2',
    'records_total{kind="weights"} 2',
    'requests_total 310',
    'sender_dropped_total 4',
    'anomalies_total{type="INVARIANT_VIOLATION",severity="CRITICAL"} 1',
    'models 1',
    'senders 1',
  ]) {
    assert.ok(page.includes(`\nsentinel_inference_${line}\n`), line);
  }
  sender.close();
  assert.equal(await monitor.end('SIGTERM'), 0);
  const [file = ''] = readdirSync(join(monitor.folder, 'data/node-1/references'));
  assert.match(readFileSync(join(monitor.folder, 'data/node-1/references', file), 'utf8'), /"weights":\{"0 sum64"/);
});

test('weights that change while the monitor is away are noticed by the next one', async (t) => {
  const engine = new EngineStub();
  await engine.start();
  t.after(() => engine.stop());
  const monitor = inferenceMonitor(temporaryFolder());
  for (const byte of [1, 2]) {
    monitor.start({ correlation_engine_endpoint: engine.address });
    await monitor.ready();
    const sender = new SenderClient(monitor.socket);
    await sender.hello();
    await sender.send(weights(byte));
    await until('analysed', () => sender.analysed === 1n);
    if (byte === 2) await until('an event', () => engine.received.length > 0);
    sender.close();
    await monitor.end('SIGTERM');
  }
  assert.deepEqual(engine.received[0]?.events[0]?.gpus, ['GPU-1']);
});

test('SIGHUP gives senders another sampling rate and analysers other limits; a wrong file changes nothing', async () => {
  const monitor = inferenceMonitor(temporaryFolder());
  monitor.start({ sampling_rate: 0.25 });
  await monitor.ready();
  const sender = new SenderClient(monitor.socket);
  await sender.hello();
  await until('the first rate', () => sender.rates.length === 1);
  monitor.configure({ sampling_rate: 0.75 });
  writeFileSync(monitor.thresholds, 'invariants: { max_logit_magnitude: 7 }\n');
  monitor.signal('SIGHUP');
  await until('the second rate', () => sender.rates.length === 2);
  assert.deepEqual(sender.rates, [0.25, 0.75]);
  await until('the limits', () => monitor.stdout.includes('limits changed'));
  writeFileSync(monitor.thresholds, 'invariant: 3\n');
  monitor.signal('SIGHUP');
  await until('the mistake', () => monitor.stdout.includes('did you mean invariants?'));
  sender.close();
  assert.equal(await monitor.end('SIGTERM'), 0);
});

test('with enabled: false senders are told to sample nothing', async () => {
  const monitor = inferenceMonitor(temporaryFolder());
  monitor.start({ enabled: false });
  await monitor.ready();
  const sender = new SenderClient(monitor.socket);
  await sender.hello();
  await until('the rate', () => sender.rates.length === 1);
  assert.deepEqual(sender.rates, [0]);
  sender.close();
});

test('a sender that says nonsense is refused with the field', async () => {
  const monitor = inferenceMonitor(temporaryFolder());
  monitor.start({});
  await monitor.ready();
  const sender = new SenderClient(monitor.socket);
  await sender.hello({ gpus: ['a b'] });
  const error = await sender.ended;
  assert.deepEqual([error?.code, error?.field], ['INVALID_ARGUMENT', 'hello.gpus[0]']);
});

test('in a container without certificates, volumes and engine it starts, says what is missing, and goes on', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'tmp'));
  const config = join(folder, 'sentinel.yaml');
  const thresholds = inferenceMonitor(folder).thresholds;
  // Places below a file cannot be made, whoever asks.
  const nowhere = join(thresholds, 'none');
  const section = {
    thresholds_file: thresholds,
    data_dir: join(nowhere, 'data'),
    socket_path: join(nowhere, 'run', 'i.sock'),
    metrics: { listen_address: '127.0.0.1:0' },
    tls: { cert_file: join(nowhere, 'c'), key_file: join(nowhere, 'k'), ca_file: join(nowhere, 'a') },
  };
  writeFileSync(config, JSON.stringify({ inference_monitor: section }), { mode: 0o600 });
  const env = {
    ...process.env,
    TMPDIR: join(folder, 'tmp'),
    SENTINEL_INFERENCE_MONITOR_CORRELATION_ENGINE_ENDPOINT: 'correlation-engine.sentinel.svc:50051',
    SENTINEL_INFERENCE_MONITOR_SAMPLING_RATE: '0.01',
    SENTINEL_INFERENCE_MONITOR_FRAMEWORK: 'vllm',
  };
  const bin = join(import.meta.dirname, '../bin/sentinel-inference-monitor.mjs');
  const args = [bin, '--config', config, '--override', 'listen_address=127.0.0.1:8000'];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  after(() => child.kill('SIGKILL'));
  let log = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    log += chunk;
  });
  for (const sentence of [
    'data_dir cannot be written',
    'socket_path cannot be written',
    'no traffic passes',
    '"analysing"',
  ])
    await until(sentence, () => log.includes(sentence));
  const sender = new SenderClient(join(folder, 'tmp/sentinel-inference-monitor/i.sock'));
  await sender.hello();
  await sender.sample({ blocks: [{ logprobs: [1] }] });
  for (const sentence of ['no TLS connection to the engine', 'inference_monitor.tls.cert_file: cannot read'])
    await until(sentence, () => log.includes(sentence));
  assert.equal(child.exitCode, null);
  sender.close();
});
