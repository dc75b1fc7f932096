import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { until } from '@sentinel/monitor-kit/testing/until';
import { startFront } from '../testing/front-in-process.js';
import { sampleAll } from '../testing/sampler.js';
import { zeroCounts } from './counts.js';
import { GrpcProxy } from './grpc/grpc-proxy.js';

async function opened(port: number) {
  const socket = connect(port, '127.0.0.1');
  after(() => socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

test('where too much waits for slow readers further connections are refused and counted, and those there are stay', async () => {
  const counts = zeroCounts();
  const { front, port } = await startFront('http://127.0.0.1:1', { counts });
  const first = await opened(port);
  await until('one', () => front.open === 1);
  front.crowd(true);
  const refused = await opened(port);
  if (!refused.closed) await once(refused, 'close');
  assert.deepEqual([counts.refused, front.open, first.closed], [1, 1, false]);
  front.crowd(false);
  await opened(port);
  await until('another', () => front.open === 2);
});

test('the port of gRPC takes as many connections as that of HTTP', async () => {
  const { counts, samples } = sampleAll(0);
  const proxy = new GrpcProxy({
    ...{ upstream: '127.0.0.1:1', maxConnections: 2, counts, draw: () => false },
    ...{ nowMs: () => 0, nowUs: () => 0n, onSample: (sample) => samples.push(sample) },
  });
  proxy.server.listen(0, '127.0.0.1');
  await once(proxy.server, 'listening');
  after(() => {
    proxy.drain();
    proxy.destroy();
  });
  const { port } = proxy.server.address() as AddressInfo;
  for (let k = 0; k < 4; k += 1) await opened(port);
  await until('refused', () => counts.refused === 2);
  assert.equal(proxy.open, 2);
});
