import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { until } from '@sentinel/monitor-kit/testing/until';
import { serverAt, startFront } from '../testing/front-in-process.js';
import { sampleAll } from '../testing/sampler.js';
import { zeroCounts } from './counts.js';
import { GrpcProxy } from './grpc/grpc-proxy.js';
import { READ_BYTES, ServerSockets } from './http1/server-sockets.js';
import { Http2Bridge } from './http2/bridge.js';
import { HIGH_WATER_BYTES } from './memory.js';
import { NO_SAMPLING } from './sampling/no-sampling.js';
import { Sampler } from './sampling/sampler.js';

const LARGE = Buffer.alloc(20_000_000, 'a');

async function listening(server: Pick<Server, 'listen' | 'once' | 'address' | 'close'>): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server as Server, 'listening');
  after(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Whether two asks of HTTP/2 are answered, of which the second is made while much waits. */
async function askedInACrowd(port: number, held: { crowd(isCrowded: boolean): void }): Promise<string[]> {
  const session = connectHttp2(`http://127.0.0.1:${port}`).on('error', () => undefined);
  after(() => session.destroy());
  const ask = async (): Promise<string> => {
    const stream = session.request({ ':path': '/' });
    const failed = once(stream, 'error').then(([error]) => String((error as Error).message));
    const answered = once(stream, 'response').then(() => 'answered');
    const outcome = await Promise.race([answered, failed]);
    stream.on('error', () => undefined).close();
    return outcome;
  };
  const first = await ask();
  held.crowd(true);
  const second = await ask();
  held.crowd(false);
  return [first, second, await ask()];
}

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

test('what a client does not read is counted, and is little, over HTTP/1.1 and HTTP/2', async () => {
  const upstream = `http://${await listening(createServer((_, response) => response.end(LARGE)))}`;
  const common = { ...serverAt(upstream), sampling: NO_SAMPLING, counts: zeroCounts() };
  const bridge = new Http2Bridge({ ...common, maxRequests: 10 });
  const { front, port } = await startFront(upstream, { http2: (client, first) => bridge.serve(client, first) });
  const reader = await opened(port);
  reader.pause().write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  const one = 65_536 + HIGH_WATER_BYTES;
  await until('it waits', () => front.waiting > 0);
  const session = connectHttp2(`http://127.0.0.1:${port}`).on('error', () => undefined);
  after(() => session.destroy());
  session.request({ ':path': '/' }).on('error', () => undefined);
  await until('that too', () => bridge.waiting > 0);
  for (let k = 0; k < 50; k += 1) {
    await new Promise(setImmediate);
    assert.ok(front.waiting <= 2 * one && bridge.waiting <= 3 * one, `${front.waiting} ${bridge.waiting}`);
  }
  reader.destroy();
  session.destroy();
  await until('nothing waits', () => front.waiting + bridge.waiting === 0);
});

test('where too much waits requests over HTTP/2 and calls of gRPC are refused as never seen, and counted', async () => {
  const upstream = `http://${await listening(createServer((_, response) => response.end('yes')))}`;
  const counts = zeroCounts();
  const bridge = new Http2Bridge({ ...serverAt(upstream), sampling: NO_SAMPLING, counts, maxRequests: 10 });
  const { port } = await startFront(upstream, { counts, http2: (client, first) => bridge.serve(client, first) });
  const refused = 'Stream closed with error code NGHTTP2_REFUSED_STREAM';
  assert.deepEqual(await askedInACrowd(port, bridge), ['answered', refused, 'answered']);
  const grpcServer = createHttp2Server().on('stream', (stream) => {
    stream.on('error', () => undefined).respond({ ':status': 200 });
    stream.end();
  });
  const all = sampleAll(0);
  const proxy = new GrpcProxy({
    ...{ upstream: await listening(grpcServer as unknown as Server), maxConnections: 10, counts: all.counts },
    ...{ draw: () => false, nowMs: () => 0, nowUs: () => 0n, onSample: () => undefined },
  });
  const grpcPort = Number((await listening(proxy.server as unknown as Server)).split(':')[1]);
  after(() => proxy.destroy());
  assert.deepEqual(await askedInACrowd(grpcPort, proxy), ['answered', refused, 'answered']);
  assert.deepEqual([counts.refused, all.counts.refused], [1, 1]);
});

test('while much waits no request is looked at, which is counted', () => {
  const counts = zeroCounts();
  let isPressed = false;
  const sampler = new Sampler({
    ...{ rate: () => 1, random: () => 0, counts, nowMs: () => 0, nowUs: () => 0n, onSample: () => undefined },
    isPressed: () => isPressed,
  });
  assert.equal(sampler.draw(), true);
  isPressed = true;
  assert.deepEqual([sampler.draw(), counts.doubts.overloaded], [false, 1]);
});

test('a request that is kept to be sent anew is counted, and is not kept while much waits', async () => {
  const server = createServer((request, response) => {
    // The second is read, and not answered.
    if (request.url === '/first') response.end('yes');
    else request.resume();
  });
  const upstream = `http://${await listening(server)}`;
  after(() => server.closeAllConnections());
  let most = READ_BYTES;
  const sockets = new ServerSockets(new URL(upstream), () => most);
  const { front, port } = await startFront(upstream, { sockets });
  const post = (path: string) =>
    `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\n${'a'.repeat(50_000)}`;
  const ask = async (): Promise<Socket> => {
    const socket = await opened(port);
    socket.write(post('/first'));
    await once(socket, 'data');
    socket.write(post('/second'));
    return socket;
  };
  const kept = await ask();
  await until('it is kept', () => front.waiting > 50_000);
  kept.destroy();
  await until('it has gone', () => front.waiting === 0);
  most = 4_096;
  const before = front.counts.requests;
  await ask();
  await until('it has come', () => front.counts.requests === before + 2);
  await until('it is on its way', () => front.waiting === 0);
});
