import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { until } from '@sentinel/monitor-kit/testing/until';
import { patient, serverAt, startFront } from '../../testing/front-in-process.js';
import { OpenAiServer } from '../../testing/openai-server.js';
import { type SampleAll, sampleAll } from '../../testing/sampler.js';
import type { ServerSockets } from '../http1/server-sockets.js';
import { MAX_WHOLE_BYTES } from '../sampling/plan.js';
import { Http2Bridge } from './bridge.js';

async function through(
  upstream: string,
  all: SampleAll = sampleAll(0),
  more: { readonly holdMs?: number; readonly maxRequests?: number; readonly sockets?: ServerSockets } = {},
): Promise<{ session: ClientHttp2Session }> {
  const { sampling, counts } = all;
  const bridge = new Http2Bridge({ ...serverAt(upstream), sampling, counts, maxRequests: 100, ...more });
  const http2 = bridge.serve.bind(bridge);
  const { port } = await startFront(upstream, { sampling: all.sampling, counts: all.counts, http2 });
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  after(() => session.destroy());
  return { session };
}

async function ask(session: ClientHttp2Session, headers: IncomingHttpHeaders, body = '') {
  const stream = session.request({ ':method': 'POST', ...headers }, { endStream: false });
  stream.end(body);
  const [answer] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  let trailers: IncomingHttpHeaders = {};
  stream.on('trailers', (sent) => {
    trailers = sent;
  });
  let text = '';
  stream.setEncoding('utf8');
  for await (const part of stream) text += part as string;
  return { status: answer[':status'], headers: answer, text, trailers };
}

test('a request over HTTP/2 reaches a server of HTTP/1.1 and its answer comes back, with headers and trailers', async () => {
  const server = createServer((request, response) => {
    request.setEncoding('utf8').on('data', (text: string) => {
      response.writeHead(
        201,
        [
          ['set-cookie', 'a=1'],
          ['set-cookie', 'b=2'],
          ['x-host', request.headers.host ?? ''],
          ['trailer', 'x-t'],
        ].flat(),
      );
      response.write(`${request.method} ${request.url} ${request.headers['x-a']} ${text}`);
      response.addTrailers({ 'x-t': 'yes' });
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close());
  const { session } = await through(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const headers = { ':path': '/p?q=1', 'x-a': 'b', ':authority': 'name:1' };
  const answers = await Promise.all(['one', 'two', 'three'].map((body) => ask(session, headers, body)));
  for (const [k, answer] of answers.entries()) {
    assert.equal(answer.status, 201);
    assert.equal(answer.text, `POST /p?q=1 b ${['one', 'two', 'three'][k]}`);
    assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2']);
    assert.equal(answer.headers['x-host'], 'name:1');
    assert.equal(answer.headers['transfer-encoding'], undefined);
    assert.equal(answer.trailers['x-t'], 'yes');
  }
  session.close();
});

test('sampled requests over HTTP/2 are answered as without', async () => {
  const server = new OpenAiServer();
  const direct = await server.listen();
  after(() => server.close());
  const all = sampleAll();
  const { session } = await through(direct, all);
  for (const stream of [false, true]) {
    const body = JSON.stringify({ model: 'm', messages: [], stream });
    const headers = { 'content-type': 'application/json' };
    const expected = await (await fetch(`${direct}/v1/chat/completions`, { method: 'POST', body, headers })).text();
    for (let k = 0; k < 3; k += 1)
      assert.equal((await ask(session, { ':path': '/v1/chat/completions', ...headers }, body)).text, expected);
  }
  assert.equal(all.samples.length, 4);
  assert.equal(all.counts.failures, 0);
  session.close();
});

test('a server that refuses the changed request gets the original over HTTP/2 too', async () => {
  const refusing = new OpenAiServer({ refuses: true });
  const direct = await refusing.listen();
  after(() => refusing.close());
  const { session } = await through(direct, sampleAll());
  const body = JSON.stringify({ model: 'm', prompt: 'x' });
  for (let k = 0; k < 2; k += 1) {
    const answer = await ask(session, { ':path': '/v1/completions', 'content-type': 'application/json' }, body);
    assert.equal(answer.status, 200);
  }
  assert.equal(refusing.bodies.length, 3);
  session.close();
});

test('a stream that the client cancels is aborted at the server at once', async () => {
  const server = new OpenAiServer({ eventMs: 20 });
  const { session } = await through(await server.listen());
  after(() => server.close());
  const stream = session.request({ ':method': 'POST', ':path': '/v1/completions' });
  stream.on('error', () => undefined);
  stream.end(JSON.stringify({ model: 'm', prompt: 'x', stream: true, max_tokens: 1000 }));
  await once(stream, 'data');
  stream.close(8);
  await until('the server stops', () => server.aborted === 1);
  session.close();
});

test('more requests than there is room for are refused as never seen, and counted', async () => {
  const server = new OpenAiServer({ eventMs: 20 });
  const direct = await server.listen();
  after(() => server.close());
  const all = sampleAll(0);
  const { session } = await through(direct, all, { maxRequests: 2 });
  const headers = { ':method': 'POST', ':path': '/v1/completions', 'content-type': 'application/json' };
  const begin = () => {
    const stream = session.request(headers);
    stream.end(JSON.stringify({ model: 'm', prompt: 'x', stream: true, max_tokens: 1000 }));
    return stream;
  };
  const slow = [begin(), begin()];
  for (const stream of slow) await once(stream, 'data');
  const [error] = await once(begin(), 'error');
  assert.match(String(error), /NGHTTP2_REFUSED_STREAM/);
  assert.deepEqual([all.counts.refused, server.bodies.length], [1, 2]);
  slow[0]?.close(8);
  await until('the server stops', () => server.aborted === 1);
  await once(begin(), 'data');
  session.close();
});

test('a client that leaves without a word of HTTP/2 costs no connection, and its requests end at the server', async () => {
  const server = new OpenAiServer({ eventMs: 20 });
  const direct = await server.listen();
  after(() => server.close());
  for (const rate of [0, 1]) {
    const all = sampleAll(rate);
    const { sampling, counts } = all;
    const bridge = new Http2Bridge({ ...serverAt(direct), sampling, counts, maxRequests: 100 });
    const http2 = bridge.serve.bind(bridge);
    const { port } = await startFront(direct, { sampling: all.sampling, counts: all.counts, http2 });
    for (const leave of ['end', 'resetAndDestroy'] as const) {
      const before = server.aborted;
      const socket = connectTcp({ port, host: '127.0.0.1' });
      const session = connect(`http://127.0.0.1:${port}`, { createConnection: () => socket });
      session.on('error', () => undefined);
      const stream = session.request({
        ':method': 'POST',
        ':path': '/v1/completions',
        'content-type': 'application/json',
      });
      stream.on('error', () => undefined);
      stream.end(JSON.stringify({ model: 'm', prompt: 'x', stream: true, max_tokens: 1000 }));
      await once(stream, 'data');
      socket[leave]();
      await until('the server stops', () => server.aborted === before + 1);
      await until('no connection is left', () => all.counts.connections === 0);
      socket.destroy();
    }
  }
});

test('without a server the answer is 502', async () => {
  const server = new OpenAiServer();
  const direct = await server.listen();
  server.close();
  const { session } = await through(direct);
  const answer = await ask(session, { ':path': '/v1/completions' }, '{}');
  assert.equal(answer.status, 502);
  assert.match(answer.text, /"upstream_unavailable"/);
  session.close();
});

test('a body without a length is the body of its request, whatever the method, and headers come as often as they were sent', async () => {
  const seen: [string, string, string[]][] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    request.on('end', () => {
      const { rawHeaders: raw } = request;
      seen.push([
        request.method ?? '',
        text,
        raw.filter((_, k) => k % 2 === 1 && /^(?:x-twice|cookie)$/.test(raw[k - 1] ?? '')),
      ]);
      response.end('ok');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close());
  const { session } = await through(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const smuggled = 'GET /smuggled HTTP/1.1\r\nhost: other\r\n\r\n';
  const methods = ['DELETE', 'GET', 'OPTIONS', 'PATCH', 'POST'];
  for (const method of methods) {
    const headers = { ':method': method, ':path': '/', 'x-twice': ['a', 'b'], cookie: ['c=1', 'd=2'] };
    assert.equal((await ask(session, headers as unknown as IncomingHttpHeaders, smuggled)).text, 'ok');
  }
  const bare = session.request({ ':method': 'GET', ':path': '/' }, { endStream: true }).setEncoding('utf8');
  assert.equal((await bare.toArray()).join(''), 'ok');
  assert.deepEqual(seen, [...methods.map((method) => [method, smuggled, ['a', 'b', 'c=1; d=2']]), ['GET', '', []]]);
});

test('a server that hangs up on the changed request gets the original over HTTP/2 too', async () => {
  let hungUp = 0;
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const text = Buffer.concat(await request.toArray()).toString();
    if (/"logprobs":5/.test(text)) {
      hungUp += 1;
      request.socket.destroy();
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end('{"model":"m","choices":[{"index":0,"text":"x","logprobs":null}]}');
  };
  const server = createServer((request, response) => void take(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close().closeAllConnections());
  const { session } = await through(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, sampleAll());
  const body = JSON.stringify({ model: 'm', prompt: 'x' });
  for (let k = 0; k < 3; k += 1) {
    const answer = await ask(session, { ':path': '/v1/completions', 'content-type': 'application/json' }, body);
    assert.equal(answer.status, 200);
  }
  assert.equal(hungUp, 2);
  session.close();
});

test('a drawn request whose body comes slowly passes unsampled, with what has come', async () => {
  const server = createServer((request, response) => {
    response.flushHeaders();
    request.pipe(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close().closeAllConnections());
  const all = sampleAll();
  const direct = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { session } = await through(direct, all, { holdMs: 20 });
  const headers = { ':method': 'POST', ':path': '/v1/completions', 'content-type': 'application/json' };
  for (const first of ['{"model":', '']) {
    const stream = session.request(headers, { endStream: false }).setEncoding('utf8');
    if (first !== '') stream.write(first);
    // The client goes on only once it has an answer.
    await once(stream, 'response');
    stream.end('"m"}');
    assert.equal((await stream.toArray()).join(''), `${first}"m"}`);
  }
  assert.deepEqual([all.counts.doubts.slow, all.samples.length], [2, 0]);
  session.close();
});

test('an answer that is too large to be put together passes as it comes', async () => {
  const start = '{"model":"m","choices":[{"index":0,"text":"x","logprobs":null}]';
  let ended = 0;
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'application/json' });
    if (request.url === '/end') {
      waiting?.end('"}');
      response.end();
      return;
    }
    if (ended === 0) response.end(`${start}}`);
    else {
      waiting = response;
      response.write(`${start},"pad":"${'x'.repeat(MAX_WHOLE_BYTES)}`);
    }
    ended += 1;
  });
  let waiting: ServerResponse | null = null;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close().closeAllConnections());
  const direct = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const all = sampleAll();
  const { session } = await through(direct, all);
  const headers = { ':path': '/v1/completions', 'content-type': 'application/json' };
  const body = JSON.stringify({ model: 'm', prompt: 'x' });
  await ask(session, headers, body);
  const stream = session.request({ ':method': 'POST', ...headers });
  stream.end(body);
  let bytes = 0;
  stream.on('data', (data: Buffer) => {
    bytes += data.length;
  });
  await until('what was gathered', () => bytes > MAX_WHOLE_BYTES);
  await fetch(`${direct}/end`);
  await once(stream, 'end');
  assert.equal(bytes, start.length + ',"pad":""}'.length + MAX_WHOLE_BYTES);
  assert.equal(all.samples.length, 0);
  session.close();
});

test('a large head passes over HTTP/2, and what is of the connection to the server does not', async () => {
  const server = createServer((request, response) => {
    request.resume();
    response
      .setHeader('connection', 'X-Private, close')
      .setHeader('x-private', '1')
      .setHeader('x-big', 'y'.repeat(20_000));
    response.end('ok');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close().closeAllConnections());
  const { session } = await through(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const { status, headers } = await ask(session, { ':path': '/' });
  assert.deepEqual([status, headers['x-big']?.length, headers['x-private']], [200, 20_000, undefined]);
  session.close();
});

test('interim answers pass over HTTP/2', async () => {
  const server = createServer((request, response) => {
    request.resume();
    response.writeEarlyHints({ link: ['</a>; rel=preload', '</b>; rel=preload'], 'x-a': 'b' }, () =>
      response.end('ok'),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close().closeAllConnections());
  const { session } = await through(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const stream = session.request({ ':path': '/' }).setEncoding('utf8');
  const hints: IncomingHttpHeaders[] = [];
  stream.on('headers', (headers) => hints.push(headers));
  assert.equal((await stream.toArray()).join(''), 'ok');
  assert.deepEqual(
    hints.map(({ ':status': status, link, 'x-a': a }) => [status, link, a]),
    [[103, '</a>; rel=preload, </b>; rel=preload', 'b']],
  );
  session.close();
});

test('a server that closes a used connection as a request comes gets it once more over HTTP/2, where that is harmless', async () => {
  const paths: string[] = [];
  const used = new WeakSet<Socket>();
  const server = createServer((request, response) => {
    paths.push(request.url ?? '');
    request.resume();
    if (used.has(request.socket)) request.socket.destroy();
    else response.end('ok');
    used.add(request.socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close().closeAllConnections());
  const all = sampleAll();
  const upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { session } = await through(upstream, all, patient(upstream));
  const body = JSON.stringify({ model: 'm', prompt: 'x' });
  const drawn = { ':path': '/v1/completions', 'content-type': 'application/json' };
  for (let k = 0; k < 2; k += 1) assert.equal((await ask(session, drawn, body)).text, 'ok');
  assert.deepEqual([paths.length, all.counts.resent], [3, 1]);
  assert.equal((await ask(session, { ':path': '/v1/load_lora_adapter' }, body)).status, 200);
  assert.equal((await ask(session, { ':path': '/v1/load_lora_adapter' }, body)).status, 502);
  session.close();
});

test('a connection that the server ends with its answer, or right after it, carries no further request', async () => {
  const large = Buffer.alloc(300_000, 'a');
  let connections = 0;
  const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
    connections += 1;
    socket
      .on('error', () => undefined)
      .once('data', () => {
        socket.end(Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${large.length}\r\n\r\n`), large]));
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close());
  const { session } = await through(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  for (const method of ['GET', 'POST', 'GET', 'POST']) {
    const answer = await ask(session, { ':path': '/', ':method': method });
    assert.deepEqual([answer.status, answer.text.length], [200, large.length]);
  }
  assert.equal(connections, 4);
  session.close();
});
