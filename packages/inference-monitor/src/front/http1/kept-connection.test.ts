import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { until } from '@sentinel/monitor-kit/testing/until';
import { patient, settingsFor, startFront } from '../../testing/front-in-process.js';
import { RawClient, RawServer } from '../../testing/raw-peers.js';
import { sampleAll } from '../../testing/sampler.js';
import { SERVER_IDLE_MS } from './server-link.js';

const BODY = JSON.stringify({ model: 'm', prompt: 'x' });
const TYPE = 'Content-Type: application/json\r\n';
const request = (line: string, extra = '', body = BODY) =>
  `${line} HTTP/1.1\r\nHost: h\r\n${TYPE}Content-Length: ${body.length}\r\n${extra}\r\n${body}`;
const COMPLETION = request('POST /v1/completions');
const LOOKED_AT = request('POST /v1/completions', '', JSON.stringify({ model: 'm', prompt: 'x', logprobs: 1 }));
const ANSWER_BODY = '{"model":"m","choices":[{"index":0,"text":"x","logprobs":null}]}';
const OK = `HTTP/1.1 200 OK\r\n${TYPE}Content-Length: ${ANSWER_BODY.length}\r\n\r\n${ANSWER_BODY}`;

/** A server whose first connection answers once, and does `then` with the next request; others answer all. */
async function serverThat(then: (socket: Socket) => void, first = OK) {
  let seen = 0;
  const server: RawServer = new RawServer((socket) => {
    if (socket !== server.sockets[0]) socket.write(OK);
    else if (seen++ === 0) socket.write(first);
    else then(socket);
  });
  return { server, upstream: await server.listen() };
}

async function answered(client: RawClient, times: number): Promise<void> {
  await until(`${times} answers`, () => client.text.split('HTTP/1.1 200').length === times + 1 || client.ended);
  assert.equal(client.ended, false);
}

test('a server that closes its connection between two requests costs the client nothing: the next goes on a new one', async () => {
  for (const close of [(socket?: Socket) => socket?.end(), (socket?: Socket) => socket?.resetAndDestroy()]) {
    const { server, upstream } = await serverThat(() => undefined);
    const { port, front } = await startFront(upstream);
    const client = await RawClient.connect(port);
    await client.send(COMPLETION);
    await answered(client, 1);
    close(server.sockets[0]);
    await until('closed', () => server.closes === 1);
    await client.send(COMPLETION);
    await answered(client, 2);
    assert.equal(server.received.toString(), COMPLETION + COMPLETION);
    assert.deepEqual([front.counts.resent, front.counts.failures], [0, 0]);
    server.sockets[1]?.end();
    client.socket.end();
    await until('closed', () => front.open === 0);
  }
});

test('an idle connection is closed before the server does it, and the client keeps its own', async () => {
  const { server, upstream } = await serverThat(() => assert.fail('the first connection is used no more'));
  const { port, front } = await startFront(upstream);
  const client = await RawClient.connect(port);
  await client.send(COMPLETION);
  await answered(client, 1);
  await until('closed', () => server.ends === 1);
  server.sockets[0]?.end();
  await client.send(COMPLETION);
  await answered(client, 2);
  await until('closed', () => server.ends === 2);
  client.socket.end();
  await until('closed', () => front.open === 0 && client.ended);
});

test('a server that took longer for an answer than a connection may be idle has it closed after that all the same', async () => {
  const used = new Set<Socket>();
  const endsMeanwhile: number[] = [];
  const server: RawServer = new RawServer((socket) => {
    if (used.has(socket)) {
      const before = server.ends;
      setTimeout(() => {
        endsMeanwhile.push(server.ends - before);
        socket.write(OK);
      }, SERVER_IDLE_MS + 300);
    } else socket.write(OK);
    used.add(socket);
  });
  const { port, front } = await startFront(await server.listen());
  const client = await RawClient.connect(port);
  // Where a machine stands still for a second between two requests, the second has a connection that is new.
  for (let times = 1; endsMeanwhile.length === 0; times += 1) {
    await client.send(COMPLETION);
    await answered(client, times);
  }
  assert.deepEqual(endsMeanwhile, [0]);
  await until('closed', () => server.ends === server.sockets.length);
  client.socket.end();
  await until('closed', () => front.open === 0 && client.ended);
});

const HANG_UPS: Readonly<Record<string, (socket: Socket) => void>> = {
  ends: (socket) => socket.end(),
  resets: (socket) => socket.resetAndDestroy(),
};
for (const [how, hangUp] of Object.entries(HANG_UPS)) {
  for (const sent of [COMPLETION, request('PUT /anything'), 'GET /v1/models HTTP/1.1\r\nHost: h\r\n\r\n'])
    test(`a server that ${how} a used connection as a request comes gets it once more: ${sent.slice(0, 22)}`, async () => {
      const { server, upstream } = await serverThat(hangUp);
      const { port, front } = await startFront(upstream, patient(upstream));
      const client = await RawClient.connect(port);
      for (const times of [1, 2]) {
        await client.send(sent);
        await answered(client, times);
      }
      assert.equal(server.received.toString(), sent + sent + sent);
      assert.deepEqual([front.counts.requests, front.counts.resent], [2, 1]);
    });

  for (const [kind, sent] of [
    ['changed', COMPLETION],
    ['only looked at', LOOKED_AT],
  ] as const)
    test(`a sampled request, ${kind}, on a used connection that the server ${how} is sent once more as the client sent it`, async () => {
      const { server, upstream } = await serverThat(hangUp);
      const { sampling, counts, samples } = sampleAll();
      const { port } = await startFront(upstream, { ...patient(upstream), sampling, counts });
      const client = await RawClient.connect(port);
      for (const times of [1, 2]) {
        await client.send(sent);
        await answered(client, times);
      }
      const all = server.received.toString();
      assert.ok(all.startsWith(sent) && all.endsWith(sent));
      const [, second] = all.match(/\{.*?\}/g) ?? [];
      assert.equal(all.match(/\{.*?\}/g)?.length, 3);
      assert.match(second ?? '', kind === 'changed' ? /"logprobs":5/ : /"logprobs":1/);
      assert.equal(counts.resent, kind === 'changed' ? 0 : 1);
      assert.equal(counts.failures + samples.length, 0);
    });
}

test('what is not certain to be harmless is sent once: the client learns that the server has hung up', async () => {
  const infer = request('POST /v2/models/m/infer');
  const large = request('POST /v1/completions', '', `"${'x'.repeat(100_000)}"`);
  for (const sent of [request('POST /v1/load_lora_adapter'), infer, large]) {
    let seen = 0;
    const server: RawServer = new RawServer((socket, received) => {
      if (seen === 0 && received.length >= COMPLETION.length) socket.write(OK);
      if (seen === 1 && received.length >= COMPLETION.length + sent.length) socket.end();
      if ([COMPLETION.length, COMPLETION.length + sent.length].includes(received.length)) seen += 1;
    });
    const upstream = await server.listen();
    const { port } = await startFront(upstream, patient(upstream));
    const client = await RawClient.connect(port);
    await client.send(COMPLETION);
    await answered(client, 1);
    await client.send(sent);
    await until('the end', () => client.ended);
    assert.equal(server.sockets.length, 1);
    assert.equal(client.text, OK);
  }
});

test('on a connection that has answered nothing yet a hang-up is the answer', async () => {
  const server = new RawServer((socket) => socket.end());
  const { port } = await startFront(await server.listen());
  const client = await RawClient.connect(port);
  await client.send(COMPLETION);
  await until('the end', () => client.ended);
  assert.equal(server.sockets.length, 1);
});

test('a request that was half answered is not sent once more', async () => {
  const { server, upstream } = await serverThat((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Le'));
  const { port } = await startFront(upstream, patient(upstream));
  const client = await RawClient.connect(port);
  for (let k = 0; k < 2; k += 1) {
    await client.send(COMPLETION);
    await until('something', () => client.received.length > k * OK.length);
  }
  await until('the end', () => client.ended);
  assert.equal(server.sockets.length, 1);
});

test('where either says that the connection ends, or too many are open, it ends for the client as well', async () => {
  const closing = OK.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');
  const old = COMPLETION.replace('HTTP/1.1', 'HTTP/1.0');
  const cases = [
    [COMPLETION, closing, 4096],
    [request('POST /v1/completions', 'Connection: close\r\n'), OK, 4096],
    [old, OK, 4096],
    [COMPLETION, OK, 1],
  ] as const;
  for (const [sent, answer, maxConnections] of cases) {
    const { server, upstream } = await serverThat(() => undefined, answer);
    const { port } = await startFront(upstream, { settings: settingsFor(upstream, { maxConnections }) });
    const client = await RawClient.connect(port);
    await client.send(sent);
    await until('the answer', () => client.received.length === answer.length);
    server.sockets[0]?.end();
    await until('the end', () => client.ended);
  }
});
