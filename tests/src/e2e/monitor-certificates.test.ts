import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeAuthority } from '@sentinel/test-kit';
import { metric, scrape } from '../harness/metrics.js';
import { Stack } from '../harness/stack.js';

test('a monitor says before its first anomaly that the engine does not take its certificate, and goes on', async () => {
  await using stack = await Stack.start({ tls: true });
  const of = ({ certFile, keyFile }: { certFile: string; keyFile: string }) => ({
    cert_file: certFile,
    key_file: keyFile,
  });
  assert.ok(stack.certificates);
  const stranger = await (await makeAuthority(join(stack.folder, 'stranger'))).issue({ name: 'training-monitor' });
  const cases = [
    { node: 'own', tls: {}, says: /^the engine takes anomalies$/ },
    {
      node: 'operators',
      tls: of(stack.certificates.files('operator')),
      says: /does not know this monitor .*: set training_monitor\.service_token_path .*, or give it a certificate of a monitor/,
    },
    {
      node: 'strangers',
      tls: of(stranger),
      says: /hangs up: check that training_monitor\.tls\.cert_file is of an authority that it knows/,
    },
  ];
  const active: number[] = [];
  for (const { node, tls, says } of cases) {
    const monitor = stack.trainingMonitor(node, { socket_path: join(stack.folder, 'run', `${node}.sock`), tls });
    const { metrics = '' } = await monitor.start();
    await monitor.line(`what it says to ${node}`, 60_000, ({ msg }) => says.test(msg));
    active.push(metric(await scrape(metrics), 'sentinel_training_grpc_stream_active'));
  }
  assert.deepEqual(active, [1, 0, 0]);
});
