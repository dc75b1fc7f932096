/** Three monitors as they are shipped, beside three servers of one model, and an engine that keeps what it is told. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { AnomalyEvent } from '@sentinel/contracts/sentinel/v1/anomaly.js';
import { AnomalySeverity, AnomalyType } from '@sentinel/contracts/sentinel/v1/anomaly.js';
import { EngineStub } from '@sentinel/monitor-kit/testing/engine-stub';
import { ModelServer } from '@sentinel/monitor-kit/testing/model-server';
import type { MonitorProcess } from '@sentinel/monitor-kit/testing/monitor-process';
import { temporaryFolder, until } from '@sentinel/monitor-kit/testing/until';
import { freePort } from '@sentinel/test-kit';
import { inferenceMonitor } from '../testing/monitor-process.js';

/** Calibration takes eight rounds, of a second each, and a busy machine more. */
const PATIENCE_MS = 90_000;

interface Replica {
  readonly node: string;
  readonly gpu: string;
  readonly model: ModelServer;
  readonly engine: EngineStub;
  readonly monitor: MonitorProcess;
  readonly config: Record<string, unknown>;
}

async function start(t: TestContext, count: number): Promise<Replica[]> {
  const ports = await Promise.all(Array.from({ length: count }, freePort));
  const replicas = await Promise.all(
    ports.map(async (port, i): Promise<Replica> => {
      const [model, engine] = [new ModelServer(i + 1), new EngineStub()];
      // An engine comes back on its port.
      await Promise.all([model.start(), engine.start(`127.0.0.1:${await freePort()}`)]);
      t.after(() => Promise.all([model.stop(), engine.stop()]));
      const monitor = inferenceMonitor(temporaryFolder());
      const [node, gpu] = [`node-${i}`, `GPU-${i}`];
      const config = {
        ...{ node_name: node, gpu_uuids: [gpu], replica_name: `replica-${i}`, framework: 'vllm' },
        ...{ upstream_url: model.url, correlation_engine_endpoint: engine.address },
        // No traffic passes: these are comparisons alone.
        listen_address: new URL(model.url).host,
        canary: { interval_s: 1, max_tokens: 8 },
        // Every monitor is told of all of them, itself too.
        replicas: { listen_address: `127.0.0.1:${port}`, endpoints: ports.map((each) => `127.0.0.1:${each}`) },
      };
      monitor.start(config);
      return { node, gpu, model, engine, monitor, config };
    }),
  );
  for (const { monitor } of replicas) await until('ready', () => /"analysing"/.test(monitor.stdout), PATIENCE_MS);
  return replicas;
}

const eventsOf = ({ engine }: Replica): AnomalyEvent[] =>
  [...engine.distinct().values()].flatMap(({ events }) => events);
const accusing = (replica: Replica) => eventsOf(replica).filter(({ severity }) => severity !== AnomalySeverity.INFO);

async function metric(replica: Replica, name: string): Promise<number> {
  const text = await (await fetch(`http://${await replica.monitor.ready()}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
}

/** Shown to repeat itself, and has agreed with all others since. */
async function calibrated(replicas: readonly Replica[]): Promise<void> {
  for (const replica of replicas) {
    const end = performance.now() + PATIENCE_MS;
    while ((await metric(replica, 'sentinel_inference_agreed_with\\{kind="canary"\\}')) !== replicas.length - 1) {
      assert.ok(performance.now() < end, replica.monitor.stdout);
      await delay(200);
    }
  }
}

test('three monitors beside three servers', { timeout: 4 * PATIENCE_MS }, async (t) => {
  const replicas = await start(t, 3);
  await calibrated(replicas);
  const [one, two, three] = replicas as [Replica, Replica, Replica];

  await t.test('accuse nobody while all are sound', () => {
    for (const replica of replicas) assert.deepEqual(eventsOf(replica), []);
  });

  await t.test(
    'name the one whose weights have another bit, by the answers of all; the others say nothing',
    async () => {
      two.model.fault = 'memory';
      const event = await until('the accusation', () => accusing(two)[0], PATIENCE_MS);
      assert.equal(event.type, AnomalyType.CANARY_MISMATCH);
      assert.deepEqual([event.source, event.gpus, event.job?.id], ['inference-monitor/canary', ['GPU-1'], 'tiny']);
      const answers = event.comparison?.answers ?? [];
      const digests = (gpu: string) =>
        new Set(answers.filter((each) => each.gpu === gpu).map(({ digest }) => Buffer.from(digest).toString('hex')));
      assert.deepEqual(digests('GPU-0'), digests('GPU-2'));
      assert.notDeepEqual(digests('GPU-1'), digests('GPU-0'));
      assert.deepEqual([digests('GPU-1').size, event.comparison?.stateEqual], [1, false]);
      assert.ok(answers.some(({ gpu, again }) => gpu === 'GPU-1' && again));
      const before = two.model.answered;
      await until('more rounds', () => two.model.answered > before + 8, PATIENCE_MS);
      for (const replica of replicas) assert.equal(accusing(replica).length, replica === two ? 1 : 0);
    },
  );

  await t.test('tell that it agrees again', async () => {
    two.model.fault = 'none';
    const told = await until(
      'agreement',
      () => eventsOf(two).find((each) => each.severity === AnomalySeverity.INFO),
      PATIENCE_MS,
    );
    assert.equal(told.comparison?.agreedBefore, 1n);
  });

  await t.test(
    'go on when one is killed, with soft evidence between two; what is found while the engine is away is kept',
    async () => {
      await three.monitor.end('SIGKILL');
      await one.engine.stop();
      one.model.fault = 'memory';
      const before = one.model.answered;
      await until('rounds', () => one.model.answered > before + 8, PATIENCE_MS);
      // A busy machine lets rounds pass: of a prompt whose turn never came before it is not known who changed, which is a warning of both.
      const grave = (replica: Replica) => accusing(replica).filter(({ severity }) => severity >= AnomalySeverity.HIGH);
      const known = grave(two).length;
      assert.deepEqual(accusing(one), []);
      await one.engine.start(String(one.config['correlation_engine_endpoint']));
      const event = await until('the soft event', () => grave(one)[0], PATIENCE_MS);
      assert.equal(event.severity, AnomalySeverity.HIGH);
      assert.match(event.detail, /otherwise than it did, and than another still does/);
      assert.ok(accusing(one).every(({ comparison }) => comparison === undefined));
      assert.equal(grave(two).length, known);
      assert.ok((await metric(two, 'sentinel_inference_replicas_asked_total\\{outcome="away"\\}')) > 0);
    },
  );
});
