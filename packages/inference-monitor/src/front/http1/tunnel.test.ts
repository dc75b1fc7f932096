import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '@sentinel/monitor-kit/testing/until';
import { patient, startFront } from '../../testing/front-in-process.js';
import { RawClient, RawServer } from '../../testing/raw-peers.js';
import { NO_SAMPLING } from '../sampling/no-sampling.js';
import type { Doubt, Sampling } from '../sampling/plan.js';

const BODY = JSON.stringify({ model: 'm', prompt: 'x' });
const POST = (extra = '') =>
  `POST /v1/completions HTTP/1.1\r\nHost: h\r\nContent-Length: ${BODY.length}\r\n${extra}\r\n${BODY}`;
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Odd, and legal unless it says otherwise. */
const REQUESTS: Readonly<Record<string, string>> = {
  'case and order of headers': 'GET /a HTTP/1.1\r\nhOsT:h\r\nX-B:  two \r\nx-a: 1\r\nX-B: three\r\n\r\n',
  'empty lines before a request': '\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n',
  'a body': POST('Connection: keep-alive\r\n'),
  'chunks with extensions and trailers':
    'POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n4;a="b"\r\nwiki\r\n0a \r\n0123456789\r\n0\r\nX: y\r\n\r\n',
  'pipelined requests': `GET /1 HTTP/1.1\r\nHost: h\r\n\r\n${POST()}HEAD /3 HTTP/1.1\r\nHost: h\r\n\r\n`,
  'an old protocol': 'GET / HTTP/1.0\r\n\r\n',
  'a body of nothing': 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n',
  'an upgrade': 'GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x85abcd',
  'bare line feeds (not legal)': 'GET / HTTP/1.1\nHost: h\n\n',
  'a folded header (not legal)': 'GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n',
  'two lengths (not legal)': 'POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
  'another protocol': 'SSH-2.0-OpenSSH_9.6\r\n\x00\xff\xfe',
};

const ANSWERS: Readonly<Record<string, string>> = {
  'a length': OK,
  chunks: 'HTTP/1.1 200 Fine, thanks\r\ntransfer-encoding: Chunked\r\n\r\n2;x\r\nok\r\n0\r\nT: u\r\n\r\n',
  'an interim answer': `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${OK}`,
  'no body': 'HTTP/1.1 204 No Content\r\n\r\n',
  'no reason': 'HTTP/1.1 500 \r\nContent-Length: 1\r\n\r\nx',
  'another protocol': 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n\x00\x01\x02',
  nonsense: 'hello\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
};

/** Draws every request, and finds each time that it cannot be sampled. */
class Doubting implements Sampling {
  readonly doubts: Doubt[] = [];
  draw = () => true;
  admit = () => 'route' as const;
  plan = () => null;
  forget = () => undefined;
  doubt = (reason: Doubt) => void this.doubts.push(reason);
}

for (const [samplings, make] of [
  ['undrawn', () => NO_SAMPLING],
  ['drawn and doubted', () => new Doubting()],
] as const) {
  for (const pieces of [Number.POSITIVE_INFINITY, 1, 7]) {
    test(`bytes pass unchanged: ${samplings}, pieces of ${pieces}`, async () => {
      for (const [requestName, request] of Object.entries(REQUESTS)) {
        for (const [answerName, answer] of Object.entries(ANSWERS)) {
          const server = new RawServer((socket, received) => {
            if (received.length === request.length) socket.end(Buffer.from(answer, 'latin1'));
          });
          const { port, front } = await startFront(await server.listen(), { sampling: make() });
          const client = await RawClient.connect(port);
          await client.send(Buffer.from(request, 'latin1'), pieces);
          await until(`${requestName}, answered with ${answerName}`, () => client.received.length >= answer.length);
          client.socket.end();
          await until(`the end of ${requestName}, answered with ${answerName}`, () => client.ended);
          assert.equal(server.received.toString('latin1'), request, requestName);
          assert.equal(client.text, answer, answerName);
          await until('closed', () => front.open === 0);
          assert.equal(front.counts.failures, 0);
        }
      }
    });
  }
}

test('many requests on one connection have one connection to the server, and are counted', async () => {
  const server = new RawServer((socket) => socket.write(OK));
  const upstream = await server.listen();
  const { port, front } = await startFront(upstream, patient(upstream));
  const client = await RawClient.connect(port);
  for (let k = 1; k <= 20; k += 1) {
    await client.send(POST());
    await until('an answer', () => client.received.length === k * OK.length);
  }
  assert.equal(server.sockets.length, 1);
  assert.deepEqual([front.counts.requests, front.counts.tunnels], [20, 0]);
});

test('a large body passes at the pace of a slow reader, and what waits inside is bounded', async () => {
  const total = 64 * 1024 * 1024;
  const piece = Buffer.alloc(1024 * 1024, 'x');
  let sent = 0;
  const server = new RawServer((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
    const more = () => {
      while (sent < total) {
        sent += piece.length;
        if (!socket.write(piece)) {
          socket.once('drain', more);
          return;
        }
      }
    };
    more();
  });
  const { port } = await startFront(await server.listen());
  const client = await RawClient.connect(port);
  client.socket.pause();
  await client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
  let before = -1;
  await until('a standstill', () => {
    const still = sent > 0 && sent === before;
    before = sent;
    return still;
  });
  assert.ok(sent < total / 2, `${sent} of ${total} bytes were taken`);
  client.socket.resume();
  await until('all of it', () => client.received.length > total);
  assert.equal(sent, total);
});

test('an answer before the request is whole passes, and so does the rest', async () => {
  const server = new RawServer((socket, received) => {
    if (received.includes('first')) socket.write(OK);
  });
  const { port } = await startFront(await server.listen());
  const client = await RawClient.connect(port);
  await client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nfirst');
  await until('the answer', () => client.text === OK);
  await client.send('later');
  await until('the rest', () => server.received.includes('firstlater'));
});

test('a half-closed client gets its answer', async () => {
  const server = new RawServer();
  const { port } = await startFront(await server.listen());
  const client = await RawClient.connect(port);
  client.socket.end(POST());
  await until('the end', () => server.ends === 1);
  server.sockets[0]?.end(OK);
  await until('the answer', () => client.ended);
  assert.equal(client.text, OK);
});

for (const [how, leave] of [
  ['closes', (client: RawClient) => client.socket.destroy()],
  ['resets', (client: RawClient) => client.socket.resetAndDestroy()],
] as const) {
  test(`the server learns at once that a client ${how} its connection during an answer`, async () => {
    const server = new RawServer((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\nx'));
    const { port, front } = await startFront(await server.listen());
    const client = await RawClient.connect(port);
    await client.send(POST());
    await until('the beginning', () => client.text.endsWith('x'));
    leave(client);
    await until('the server knows', () => server.ends + server.closes > 0);
    server.sockets[0]?.end();
    await until('closed', () => front.open === 0);
  });
}

test('a server that dies in the middle of an answer: what came passes, and the end is no clean one', async () => {
  const server = new RawServer((socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\nhalf');
    setTimeout(() => socket.resetAndDestroy(), 50);
  });
  const { port } = await startFront(await server.listen());
  const client = await RawClient.connect(port);
  await client.send(POST());
  await until('closed', () => client.closed);
  assert.match(client.text, /half$/);
  assert.equal(client.error, 'ECONNRESET');
});

test('without a server the answer is 502 in the shape of the OpenAI API', async () => {
  const server = new RawServer((socket) => socket.write(OK));
  const upstream = await server.listen();
  server.close();
  const { port, front } = await startFront(upstream);
  const client = await RawClient.connect(port);
  await client.send(POST());
  await until('closed', () => client.ended);
  const [head = '', body = ''] = client.text.split('\r\n\r\n');
  assert.match(head, /^HTTP\/1\.1 502 Bad Gateway\r\n/);
  const { error } = JSON.parse(body) as { error: Record<string, unknown> };
  assert.deepEqual(Object.keys(error), ['message', 'type', 'param', 'code']);
  assert.equal(front.counts.unavailable, 1);
});

test('a drain lets what is outstanding end, and closes what is idle', async () => {
  const server = new RawServer();
  const { port, front } = await startFront(await server.listen());
  const busy = await RawClient.connect(port);
  await busy.send(POST());
  const idle = await RawClient.connect(port);
  await until('both', () => front.open === 2 && server.received.length > 0);
  front.drain();
  await until('the idle one', () => idle.closed || idle.ended);
  assert.equal(busy.ended, false);
  server.sockets[0]?.write(OK);
  await until('the busy one', () => busy.ended);
  assert.equal(busy.text, OK.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
});
