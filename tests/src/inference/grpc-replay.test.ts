/** What users ask of Triton over gRPC is computed again by another Triton, and is the same bits. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { freePort, startProcess } from '@sentinel/test-kit';
import { ROOT } from '../harness/paths.js';
import { Stack } from '../harness/stack.js';
import { until } from '../harness/until.js';
import { sumOf } from './metric-sum.js';
import { python, startTriton } from './servers.js';

const USERS = join(ROOT, 'tests/src/inference/clients/grpc_users.py');
/** Eight rounds of a second each, and a busy machine more. */
const ROUNDS_MS = 180_000;
const TIMEOUT_MS = 900_000;

describe('requests over gRPC', { timeout: TIMEOUT_MS }, () => {
  it('are computed again by another Triton', { timeout: TIMEOUT_MS }, async () => {
    await using stack = await Stack.prepare();
    await using one = await startTriton();
    await using other = await startTriton();
    const ports = [await freePort(), await freePort()];
    const fronts = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
    const monitors = await Promise.all(
      [one, other].map(async ({ url, grpc }, i) =>
        stack.inferenceMonitor(`node-${i}`, {
          ...{ framework: 'triton', upstream_url: url, listen_address: `127.0.0.1:${await freePort()}` },
          ...{ upstream_grpc: grpc, grpc_listen_address: fronts[i] ?? '', replica_name: `replica-${i}` },
          // How much may be asked follows from how often canaries are.
          ...{ sampling_rate: 1, canary: { interval_s: 1 }, replay: { interval_s: 1 } },
          replicas: {
            listen_address: `127.0.0.1:${ports[i]}`,
            endpoints: ports.map((port) => `127.0.0.1:${port}`),
          },
        }),
      ),
    );
    await Promise.all(monitors.map((monitor) => monitor.start()));
    const interpreter = await python('clients');
    await using first = await startProcess({ command: [interpreter, USERS, fronts[0] ?? ''] });
    await using second = await startProcess({ command: [interpreter, USERS, fronts[1] ?? ''] });
    const ended = Promise.race([first.exited, second.exited]).then(() => assert.fail('users were refused'));
    const each = async (what: string, name: string, labels: Readonly<Record<string, string>>) => {
      const has = async () =>
        (await Promise.all(monitors.map((monitor) => sumOf(monitor, name, labels)))).every((sum) => sum >= 1);
      await Promise.race([until(what, ROUNDS_MS, has, 300), ended]);
    };
    try {
      await each('both repeat themselves', 'sentinel_inference_repeatable', { kind: 'replay' });
      await each('both answer the other', 'sentinel_inference_replicas_asked_total', { outcome: 'answered' });
      for (const monitor of monitors) assert.equal(await sumOf(monitor, 'sentinel_inference_anomalies_total'), 0);
    } finally {
      ended.catch(() => undefined);
      for (const monitor of monitors) {
        // As Ctrl-C: the front ends too.
        monitor.signal('SIGINT');
        await monitor.ended();
      }
    }
  });
});
