/** Replicas of one model on three nodes: real monitors with TLS between them, engine, ledger and command line. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import { ModelServer } from '@sentinel/monitor-kit/testing/model-server';
import { freePort } from '@sentinel/test-kit';
import { device } from '../harness/batches.js';
import { sentinel } from '../harness/cli.js';
import { EngineClient } from '../harness/engine-client.js';
import { auditTrail, detailOf } from '../harness/ledger-client.js';
import { scrape } from '../harness/metrics.js';
import { ROOT } from '../harness/paths.js';
import { ScriptedAgent } from '../harness/scripted-agent.js';
import type { Service } from '../harness/service.js';
import { Stack } from '../harness/stack.js';
import { until } from '../harness/until.js';
import { makeManifest, startTriton, startVllm, TINY, withLibrary } from './servers.js';
import { WeightReports } from './weight-reports.js';

/** Calibration takes eight rounds, of a second each, and a busy machine more. */
const CALIBRATED_MS = 120_000;
/** With vLLM fetched. */
const TIMEOUT_MS = 900_000;

async function sampleOf(monitor: Service, name: string, labels: Readonly<Record<string, string>>): Promise<number> {
  const samples = await scrape((await monitor.ready()).metrics ?? '');
  const matches = (of: Readonly<Record<string, string>>) =>
    Object.entries(labels).every(([label, value]) => of[label] === value);
  return samples.find((sample) => sample.name === name && matches(sample.labels))?.value ?? Number.NaN;
}

const REPEATABLE = 'sentinel_inference_repeatable';
const AGREED_WITH = 'sentinel_inference_agreed_with';
const FAULTS = join(ROOT, 'tests/fixtures/vllm');
const JSON_BODY = { 'content-type': 'application/json' };
const ANOMALIES = 'sentinel_inference_anomalies_total';
const ROUNDS = 'sentinel_inference_rounds_total';

function shown(monitor: Service, kind: 'canary' | 'replay'): Promise<unknown> {
  const isShown = async () => (await sampleOf(monitor, REPEATABLE, { kind })) === 1;
  return until(`${monitor.spec.name} repeats itself (${kind})`, CALIBRATED_MS, isShown, 300);
}

/** What an entry of the ledger says of a device that loses comparisons. */
function stepOf({ event, outcome, state_equal: equal, from, to }: Record<string, unknown>): string[] {
  if (event === 'job_comparison' && outcome === 'COUNTED') return [equal === true ? 'lost with right weights' : 'lost'];
  return event === 'state_changed' ? [`${from}>${to}`] : [];
}

describe('replicas of a model', { timeout: 2 * TIMEOUT_MS }, () => {
  it('on three nodes: the device whose answers are outvoted is a SUSPECT, and QUARANTINED once its weights were proven right; explain and ledger say why', {
    timeout: 300_000,
  }, async () => {
    await using stack = await Stack.start({ tls: true, engine: { gates: { dwell_seconds: 5 } } });
    const engine = new EngineClient(stack);
    const nodes = ['node-a', 'node-b', 'node-c'];
    const agents = nodes.map(
      (node) =>
        new ScriptedAgent({
          connection: stack.connection('engine', 'probe-agent'),
          ...{ node, fleetKey: stack.secrets.fleetKey, devices: [device(`CPU-${node}`, 2)] },
        }),
    );
    const models = nodes.map((_, i) => new ModelServer(i + 1));
    const libraries: WeightReports[] = [];
    try {
      await Promise.all([...agents.map((agent) => agent.hello()), ...models.map((model) => model.start())]);
      const ports = await Promise.all(nodes.map(() => freePort()));
      const monitors = nodes.map((node, i) =>
        stack.inferenceMonitor(node, {
          ...{ framework: 'vllm', upstream_url: models[i]?.url ?? '', replica_name: `replica-${node}` },
          // No traffic passes: these are comparisons alone.
          listen_address: new URL(models[i]?.url ?? '').host,
          canary: { interval_s: 1 },
          replicas: { listen_address: `127.0.0.1:${ports[i]}`, endpoints: ports.map((port) => `127.0.0.1:${port}`) },
        }),
      );
      await Promise.all(monitors.map((monitor) => monitor.start()));
      for (const [i, monitor] of monitors.entries()) {
        const socket = join(stack.folder, 'run', `${monitor.spec.name}.sock`);
        libraries.push(new WeightReports(socket, `replica-${nodes[i]}`, 'tiny'));
      }
      const [, wrong] = models;
      assert.ok(wrong !== undefined);
      // Bits are evidence once a replica has agreed with the others.
      const agreed = async () => {
        const counts = monitors.map((monitor) => sampleOf(monitor, AGREED_WITH, { kind: 'canary' }));
        return (await Promise.all(counts)).every((count) => count === 2);
      };
      await until('each agreed with the others', CALIBRATED_MS, agreed, 300);
      wrong.fault = 'memory';

      const takenOut = [GpuState.QUARANTINED, GpuState.DEEP_TEST];
      // A look may come so late that it is no longer only that; the ledger has its way.
      await engine.state('CPU-node-b', [GpuState.SUSPECT, ...takenOut], 60_000);
      const { stdout } = await sentinel(stack, 'gpus', 'explain', 'CPU-node-b');
      assert.match(stdout.replaceAll(/\s+/g, ' '), /its answer to a canary was not that of the others in job tiny/);
      const told = async () => {
        const { stdout: events } = await sentinel(stack, 'audit', 'query', '--gpu', 'CPU-node-b');
        return (
          /anomaly +CPU-node-b +job_comparison/.test(events) && /decision +CPU-node-b +HEALTHY>SUSPECT/.test(events)
        );
      };
      await until('the entries of the ledger', 30_000, told, 500);

      // Its weights are those of the others, and it answers wrongly again: it computes wrongly, and each further loss counts.
      await engine.state('CPU-node-b', takenOut, 120_000);
      const steps = await until('its way there in the ledger', 30_000, async () => {
        const entries = (await auditTrail(stack, 'CPU-node-b')).map(detailOf).flatMap(stepOf);
        return entries.includes('SUSPECT>QUARANTINED') ? entries : null;
      });
      assert.deepEqual(steps.slice(0, 2), ['lost', 'HEALTHY>SUSPECT']);
      const between = steps.slice(2, steps.indexOf('SUSPECT>QUARANTINED'));
      assert.ok(between.length > 0 && between.every((step) => step === 'lost with right weights'), steps.join());
      const { code, stdout: verified } = await sentinel(stack, 'audit', 'verify');
      assert.equal(code, 0, verified);
      for (const other of ['CPU-node-a', 'CPU-node-c']) await engine.state(other, [GpuState.HEALTHY], 5_000);
    } finally {
      for (const library of libraries) library.close();
      for (const agent of agents) agent.close();
      engine.close();
      await Promise.all(models.map((model) => model.stop()));
    }
  });

  it('served by vLLM in fp32, with the library in it: shown to repeat itself, in canaries and in what it computes again; a bit flips, and canaries and the manifest of the weights tell of its device', {
    timeout: TIMEOUT_MS,
  }, async () => {
    await using stack = await Stack.start();
    const connection = stack.connection('engine', 'probe-agent');
    const fleetKey = stack.secrets.fleetKey;
    const agent = new ScriptedAgent({ connection, node: 'node-v', fleetKey, devices: [device('GPU-V', 2)] });
    await agent.hello();
    const [port, listen] = [await freePort(), `127.0.0.1:${await freePort()}`];
    const manifest = join(stack.folder, 'weights.json');
    const monitor = stack.inferenceMonitor('node-v', {
      ...{ framework: 'vllm', upstream_url: `http://127.0.0.1:${port}`, listen_address: listen, sampling_rate: 1 },
      ...{ canary: { interval_s: 1 }, replay: { interval_s: 1 }, gpu_uuids: ['GPU-V'] },
      weights: { interval_s: 1, manifest_file: manifest },
    });
    // One file for the analyser and the library, as on a node.
    const library = await withLibrary(join(stack.folder, 'library'), join(stack.folder, `${monitor.spec.name}.yaml`));
    await makeManifest(manifest, library);
    await using vllm = await startVllm({
      args: ['--worker-extension-cls', 'weight_faults.WeightFaults'],
      env: { ...library, VLLM_SERVER_DEV_MODE: '1', PYTHONPATH: `${library.PYTHONPATH}:${FAULTS}` },
      port,
    });
    await monitor.start();
    const isCanary = shown(monitor, 'canary');
    const asking = new AbortController();
    const users = (async () => {
      for (let i = 0; !asking.signal.aborted; i += 1) {
        const body = JSON.stringify({ model: TINY, prompt: `request ${i} of a user`, max_tokens: 8, temperature: 1 });
        const request = { method: 'POST', headers: JSON_BODY, body };
        const answer = await fetch(`http://${listen}/v1/completions`, request);
        assert.equal(answer.status, 200, await answer.text());
      }
    })();
    try {
      await Promise.race([Promise.all([isCanary, shown(monitor, 'replay')]), users]);
      assert.equal(await sampleOf(monitor, 'sentinel_inference_contradictions', { kind: 'canary' }), 0);
      const told = () => sampleOf(monitor, ANOMALIES, { type: 'CANARY_MISMATCH', severity: 'CRITICAL' });
      assert.equal(await told(), 0);
      const order = { method: 'POST', headers: JSON_BODY, body: JSON.stringify({ method: 'flip_bit' }) };
      const flipped = await fetch(`${vllm.url}/collective_rpc`, order);
      assert.equal(flipped.status, 200, await flipped.text());
      await until('the flipped bit is told', 60_000, async () => (await told()) > 0, 300);
      // It may come later than what the metrics say.
      const otherwise = /answers to a canary otherwise than it did, and repeats that/;
      await monitor.line('the answer to a canary', 30_000, ({ msg }) => otherwise.test(msg));
      const entry = await until('the entry of the weights in the ledger', 60_000, async () =>
        (await auditTrail(stack, 'GPU-V')).map(detailOf).find(({ source }) => source === 'inference-monitor/weights'),
      );
      assert.equal(entry.severity, 'CRITICAL');
      assert.match(String(entry.detail), /of worker 0 are not what their manifest says: model\.norm\.weight$/);
      const { stdout } = await sentinel(stack, 'gpus', 'explain', 'GPU-V');
      assert.match(stdout, /inference-monitor\/weights/);
    } finally {
      asking.abort();
      await users;
      // As Ctrl-C: the front ends too.
      monitor.signal('SIGINT');
      await monitor.ended();
      agent.close();
    }
  });

  it('served by Triton: the tensors of users are computed again, and are the same bits', {
    timeout: TIMEOUT_MS,
  }, async () => {
    await using stack = await Stack.prepare();
    await using triton = await startTriton();
    const listen = `127.0.0.1:${await freePort()}`;
    const monitor = stack.inferenceMonitor('node-t', {
      ...{ framework: 'triton', upstream_url: triton.url, listen_address: listen, sampling_rate: 1 },
      ...{ canary: { interval_s: 1 }, replay: { interval_s: 1 } },
    });
    await monitor.start();
    const asking = new AbortController();
    const users = (async () => {
      for (let token = 0; !asking.signal.aborted; token = (token + 1) % 64) {
        const inputs = [{ name: 'tokens', shape: [1, 1], datatype: 'INT64', data: [token] }];
        const request = { method: 'POST', headers: JSON_BODY, body: JSON.stringify({ inputs }) };
        const answer = await fetch(`http://${listen}/v2/models/tokens/infer`, request);
        assert.equal(answer.status, 200, await answer.text());
        await delay(50);
      }
    })();
    try {
      await Promise.race([shown(monitor, 'replay'), users]);
      assert.equal(await sampleOf(monitor, ROUNDS, { kind: 'canary' }), 0, 'it has no prompts');
    } finally {
      asking.abort();
      await users;
      // As Ctrl-C: the front ends too.
      monitor.signal('SIGINT');
      await monitor.ended();
    }
  });
});
