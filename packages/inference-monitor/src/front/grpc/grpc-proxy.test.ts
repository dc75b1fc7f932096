import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { after, test } from 'node:test';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import {
  Client,
  credentials,
  Metadata,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { until } from '@sentinel/monitor-kit/testing/until';
import { sampleAll } from '../../testing/sampler.js';
import { GrpcProxy } from './grpc-proxy.js';

/** Of calls that are to be answered. */
const DEADLINE_MS = 60_000;
const raw = (bytes: Buffer) => bytes;
const method = (path: string, stream: boolean): MethodDefinition<Buffer, Buffer> => ({
  path,
  requestStream: stream,
  responseStream: stream,
  requestSerialize: raw,
  requestDeserialize: raw,
  responseSerialize: raw,
  responseDeserialize: raw,
});
const INFER = method('/inference.GRPCInferenceService/ModelInfer', false);
const STREAM = method('/inference.GRPCInferenceService/ModelStreamInfer', true);

/** ModelInferResponse with one raw tensor. */
function answer(values: readonly number[]): Buffer {
  const output = new BinaryWriter().uint32(10).string('y').uint32(18).string('FP32');
  output.uint32(26).fork().int64(values.length).join();
  const message = new BinaryWriter().uint32(10).string('m').uint32(42).bytes(output.finish());
  message.uint32(50).bytes(new Uint8Array(Float32Array.from(values).buffer));
  return Buffer.from(message.finish());
}

/** Answers "bad" with an error, "late" and "wait" not at all, and a stream message by message. */
class Upstream {
  readonly server = new Server();
  cancelled = 0;
  /** Calls of one answer, by what they ask. */
  readonly asked = new Map<string, { readonly deadline: number; cancelled: boolean }>();

  async start(): Promise<string> {
    this.server.addService(
      { infer: INFER, stream: STREAM },
      {
        infer: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
          const deadline = call.getDeadline();
          const of = { deadline: typeof deadline === 'number' ? deadline : deadline.getTime(), cancelled: false };
          const request = call.request.toString();
          this.asked.set(request, of);
          call.on('cancelled', () => {
            of.cancelled = true;
          });
          const trailer = new Metadata();
          trailer.set('x-trailer', String(call.metadata.get('x-a')[0]));
          if (request === 'bad') done({ code: status.INVALID_ARGUMENT, details: 'bad input', metadata: trailer });
          else if (request !== 'wait' && request !== 'late') done(null, answer([1, 2]), trailer);
        },
        stream: (call: ServerDuplexStream<Buffer, Buffer>) => {
          call.on('data', (message: Buffer) => {
            const inner = answer([message.length]);
            call.write(Buffer.from(new BinaryWriter().uint32(18).bytes(inner).finish()));
          });
          call.on('end', () => call.end());
          call.on('cancelled', () => {
            this.cancelled += 1;
          });
        },
      },
    );
    const port = await new Promise<number>((resolve, reject) => {
      this.server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    after(() => this.server.forceShutdown());
    return `127.0.0.1:${port}`;
  }
}

async function through(upstream: string, rate: number) {
  const { samples, counts, sampling } = sampleAll(rate);
  const proxy = new GrpcProxy({
    maxConnections: 4096,
    upstream,
    counts,
    draw: () => sampling.draw(),
    nowMs: () => performance.now(),
    nowUs: () => 7n,
    onSample: (sample) => samples.push(sample),
  });
  proxy.server.listen(0, '127.0.0.1');
  await once(proxy.server, 'listening');
  const { port } = proxy.server.address() as AddressInfo;
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  after(() => {
    client.close();
    proxy.drain();
    proxy.destroy();
  });
  return { client, samples, counts, proxy };
}

interface Outcome {
  readonly code: number;
  readonly details: string;
  readonly value: Buffer | undefined;
  readonly trailer: string;
}

function infer(client: Client, request: string, deadlineMs = DEADLINE_MS): Promise<Outcome> {
  const metadata = new Metadata();
  metadata.set('x-a', 'b');
  return new Promise((resolve) => {
    let value: Buffer | undefined;
    let details = '';
    const call = client.makeUnaryRequest(
      INFER.path,
      raw,
      raw,
      Buffer.from(request),
      metadata,
      { deadline: Date.now() + deadlineMs },
      (error, got) => {
        value = got;
        details = error?.details ?? '';
      },
    );
    call.on('status', (end) =>
      resolve({ code: end.code, details, value, trailer: String(end.metadata.get('x-trailer')[0] ?? '') }),
    );
  });
}

for (const rate of [0, 1]) {
  test(`unary calls pass with metadata, trailers, errors and deadlines; drawn ${rate}`, async () => {
    const upstream = new Upstream();
    const { client, samples } = await through(await upstream.start(), rate);
    const good = await infer(client, 'good');
    assert.deepEqual([good.code, good.value, good.trailer], [status.OK, answer([1, 2]), 'b']);
    const bad = await infer(client, 'bad');
    assert.deepEqual([bad.code, bad.details, bad.trailer], [status.INVALID_ARGUMENT, 'bad input', 'b']);
    // It may be over before the server has seen it.
    const late = await infer(client, 'late', 300);
    assert.equal(late.code, status.DEADLINE_EXCEEDED);
    const waiting = client.makeUnaryRequest(INFER.path, raw, raw, Buffer.from('wait'), () => undefined);
    await until('the call', () => upstream.asked.has('wait'));
    assert.equal(upstream.asked.get('wait')?.cancelled, false);
    waiting.cancel();
    await until('the server knows', () => upstream.asked.get('wait')?.cancelled === true);
    for (const request of ['good', 'bad']) {
      const { deadline = Number.POSITIVE_INFINITY } = upstream.asked.get(request) ?? {};
      assert.ok(deadline - Date.now() < DEADLINE_MS + 1_000, request);
    }
    assert.equal(samples.length, rate);
    if (rate === 1) {
      const { name, datatype, elements, mean } = samples[0]?.outputs[0] ?? {};
      assert.deepEqual([samples[0]?.model, name, datatype, elements, mean], ['m', 'y', 'FP32', 2n, 1.5]);
    }
  });
}

test('streams of both directions pass message by message, and a cancelled one ends at the server', async () => {
  const upstream = new Upstream();
  const { client, samples } = await through(await upstream.start(), 1);
  const call = client.makeBidiStreamRequest(STREAM.path, raw, raw, new Metadata());
  const got: Buffer[] = [];
  call.on('data', (message: Buffer) => got.push(message));
  for (const size of [1, 70_000, 3]) {
    const before = got.length;
    call.write(Buffer.alloc(size));
    await until('an answer', () => got.length === before + 1);
  }
  call.end();
  await once(call, 'end');
  await until('a sample', () => samples.length === 1);
  assert.deepEqual(
    samples[0]?.outputs.map(({ mean }) => mean),
    [1, 70_000, 3],
  );
  const other = client.makeBidiStreamRequest(STREAM.path, raw, raw, new Metadata());
  other.on('error', () => undefined);
  other.write(Buffer.alloc(1));
  await once(other, 'data');
  other.cancel();
  await until('the server knows', () => upstream.cancelled === 1);
});

test('without a server a call ends with UNAVAILABLE', async () => {
  const { client, counts } = await through('127.0.0.1:1', 0);
  assert.equal((await infer(client, 'good')).code, status.UNAVAILABLE);
  assert.equal(counts.unavailable, 1);
});

/** How a server may end a call without an answer. */
const CUTS: Readonly<Record<string, (stream: ServerHttp2Stream, socket: Socket) => void>> = {
  'its connection is reset': (_, socket) => socket.resetAndDestroy(),
  'its process dies': (_, socket) => socket.end(),
  'it goes away': (stream) => {
    stream.session?.goaway(0);
    stream.session?.destroy();
  },
};
const RESETS = { CANCEL: 8, REFUSED_STREAM: 7, INTERNAL_ERROR: 2, NO_ERROR: 0 };

async function cutting(cut: (stream: ServerHttp2Stream, socket: Socket) => void) {
  const server = createServer();
  let socket: Socket | undefined;
  server.on('connection', (connection: Socket) => {
    socket = connection.on('error', () => undefined);
  });
  server.on('sessionError', () => undefined);
  server.on('stream', (stream) => {
    stream.on('error', () => undefined);
    if (socket !== undefined) cut(stream, socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => {
    server.close();
    socket?.destroy();
  });
  return through(`127.0.0.1:${(server.address() as AddressInfo).port}`, 0);
}

for (const [what, cut] of Object.entries(CUTS))
  test(`a call that is under way when ${what} is UNAVAILABLE, and counted`, async () => {
    const { client, counts } = await cutting(cut);
    const { code, details } = await infer(client, 'good');
    assert.deepEqual([code, details], [status.UNAVAILABLE, 'the inference server cannot be reached']);
    assert.ok(counts.unavailable >= 1);
  });

for (const [name, code] of Object.entries(RESETS))
  test(`a call that the server resets with ${name} is reset so for the client`, async () => {
    const { proxy, counts } = await cutting((stream) => stream.close(code));
    const session = connect(`http://127.0.0.1:${(proxy.server.address() as AddressInfo).port}`);
    after(() => session.destroy());
    const stream = session.request({ ':method': 'POST', ':path': INFER.path, 'content-type': 'application/grpc' });
    await new Promise((resolve) =>
      stream
        .on('error', () => undefined)
        .on('close', resolve)
        .resume()
        .end(),
    );
    assert.deepEqual([stream.rstCode, counts.unavailable], [code, 0]);
  });

test('metadata of any number passes', async () => {
  const many = Object.fromEntries(Array.from({ length: 400 }, (_, k) => [`x-${k}`, `${k}`]));
  let seen = 0;
  const server = createServer({ maxHeaderListPairs: 2_000 }, (request, response) => {
    seen = Object.keys(request.headers).filter((name) => name.startsWith('x-')).length;
    response.writeHead(200, many).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close());
  const { proxy } = await through(`127.0.0.1:${(server.address() as AddressInfo).port}`, 0);
  const { port } = proxy.server.address() as AddressInfo;
  const session = connect(`http://127.0.0.1:${port}`, { maxHeaderListPairs: 2_000 });
  after(() => session.destroy());
  const stream = session.request({ ':method': 'POST', ':path': INFER.path, ...many }, { endStream: true });
  const [answered] = (await once(stream, 'response')) as [Record<string, string>];
  assert.deepEqual([seen, Object.keys(answered).filter((name) => name.startsWith('x-')).length], [400, 400]);
});
