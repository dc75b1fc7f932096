import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { eventually } from '@sentinel/test-kit';
import { startFront } from '../../testing/front-in-process.js';
import { sampleAll } from '../../testing/sampler.js';
import { inferredModel, readAnswer } from './kserve-plan.js';

const JSON_ANSWER = JSON.stringify({
  outputs: [
    {
      name: 'y',
      datatype: 'FP32',
      shape: [2, 2],
      data: [
        [1, 2],
        [3, 6],
      ],
    },
  ],
});
const HEADER = JSON.stringify({
  outputs: [
    { name: 'a', datatype: 'INT32', shape: [2], parameters: { binary_data_size: 8 } },
    { name: 'b', datatype: 'FP64', shape: [1], parameters: { binary_data_size: 8 } },
  ],
});
const BINARY = Buffer.concat([
  Buffer.from(HEADER),
  new Uint8Array(Int32Array.of(-1, 5).buffer),
  new Uint8Array(Float64Array.of(Number.NaN).buffer),
]);

test('tensors in JSON and in binary are looked at, and the answer is the same', async () => {
  const server = createServer((request, response) => {
    if (request.url === '/v2/models/json/infer') response.end(JSON_ANSWER);
    else {
      response.setHeader('inference-header-content-length', HEADER.length);
      response.end(BINARY);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close());
  const all = sampleAll();
  const { port } = await startFront(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, all);
  const ask = async (path: string) => {
    const request = { method: 'POST', body: '{}z', headers: { 'inference-header-content-length': '2' } };
    return Buffer.from(await (await fetch(`http://127.0.0.1:${port}${path}`, request)).arrayBuffer());
  };
  assert.equal((await ask('/v2/models/json/infer')).toString(), JSON_ANSWER);
  assert.deepEqual(await ask('/v2/models/b%20in/versions/3/infer'), BINARY);
  const told = all.samples.map(({ model, outputs }) => [
    model,
    ...outputs.map(({ name, elements, nonfinite, min, max, mean }) => [name, elements, nonfinite, min, max, mean]),
  ]);
  assert.deepEqual(told, [
    ['json', ['y', 4n, 0n, 1, 6, 3]],
    ['b in', ['a', 2n, 0n, -1, 5, 2], ['b', 1n, 1n, undefined, undefined, undefined]],
  ]);
  assert.deepEqual(
    all.samples.map(({ replay }) => [replay?.path, Buffer.from(replay?.body ?? []).toString(), replay?.headerLength]),
    [
      ['/v2/models/json/infer', '{}z', 2],
      ['/v2/models/b%20in/versions/3/infer', '{}z', 2],
    ],
  );
});

test('what is no number in a JSON tensor is counted, however the server writes it; texts are none', () => {
  const of = (datatype: string, data: string) =>
    readAnswer(Buffer.from(`{"outputs":[{"name":"y","datatype":"${datatype}","shape":[3],"data":${data}}]}`), 0)
      ?.outputs[0];
  for (const data of ['[NaN,2,4]', '[null,2,4]', '[[-Infinity,2],[4]]', '[1e999,2,4]'])
    assert.deepEqual([of('FP32', data)?.nonfinite, of('FP32', data)?.mean], [1n, 3], data);
  assert.deepEqual(of('BYTES', '["NaN",null,"x"]')?.nonfinite, 0n);
  assert.deepEqual([of('BOOL', '[true,false,true]')?.nonfinite, of('BOOL', '[true,false,true]')?.max], [0n, 1]);
});

test('compressed answers are looked at as well, and what is no such answer is told', async () => {
  const answers: Record<string, readonly [coding: string, body: Buffer]> = {
    gzip: ['gzip', gzipSync(JSON_ANSWER)],
    deflate: ['deflate', deflateSync(JSON_ANSWER)],
    br: ['br', brotliCompressSync(JSON_ANSWER)],
    broken: ['gzip', gzipSync(JSON_ANSWER).subarray(0, 20)],
    bomb: ['gzip', gzipSync(Buffer.alloc(64 * 1024 * 1024))],
    unknown: ['zstd', Buffer.from('x')],
    odd: ['gzip', gzipSync('{"outputs":[null]}')],
  };
  const server = createServer((request, response) => {
    const [coding, body] = answers[inferredModel(request.url ?? '') ?? ''] ?? ['', Buffer.alloc(0)];
    response.setHeader('content-encoding', coding);
    response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close());
  const all = sampleAll();
  const { port } = await startFront(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, all);
  for (const [name, [, body]] of Object.entries(answers))
    assert.deepEqual(await rawBody(port, `/v2/models/${name}/infer`), body);
  await eventually(() => all.counts.doubts.answer === 4, { what: 'four answers that are none' });
  assert.deepEqual(
    all.samples.map(({ model, outputs, replay }) => [model, outputs[0]?.mean, replay]),
    ['gzip', 'deflate', 'br'].map((name) => [name, 3, undefined]),
  );
});

/** Asks with a compressed body, and takes the answer as it comes. */
async function rawBody(port: number, path: string): Promise<Buffer> {
  const asked = request({ port, path, method: 'POST', headers: { 'content-encoding': 'gzip' } });
  asked.end(gzipSync('xyz'));
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return Buffer.concat(await answer.toArray());
}

test('only what computes is looked at', () => {
  assert.equal(inferredModel('/v2/models/m/infer?x=1'), 'm');
  for (const path of [
    '/v2/models/m',
    '/v2/models/m/generate',
    '/v2/models/m/generate_stream',
    '/v2',
    '/v2/models/%/infer',
  ])
    assert.equal(inferredModel(path), null, path);
});
