import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '@sentinel/monitor-kit/testing/until';
import { startFront } from '../../testing/front-in-process.js';
import { RawClient, RawServer } from '../../testing/raw-peers.js';

async function serve(answer: string): Promise<string> {
  const server = createServer((asked, response) => {
    asked.resume().on('end', () => response.end(answer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close().closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('clients that never pause lose no request while one front takes over from another', async () => {
  const upstream = await serve('ok');
  let { port, front } = await startFront(upstream);
  const agent = new Agent({ keepAlive: true });
  let going = true;
  const one = async (): Promise<void> => {
    const asked = request({ port, host: '127.0.0.1', method: 'POST', agent });
    asked.end('x');
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    assert.equal((await answer.toArray()).join(''), 'ok');
  };
  const users = Array.from({ length: 8 }, async (_, k) => {
    for (; going; await delay(k)) await one();
  });
  for (let k = 0; k < 3; k += 1) {
    await delay(200);
    const old = front;
    ({ port, front } = await startFront(upstream));
    old.drain();
    await Promise.race([until('the old one has ended', () => old.open === 0), Promise.all(users)]);
  }
  going = false;
  await Promise.all(users);
  agent.destroy();
});

test('of pipelined requests the last answer tells that the connection ends', async () => {
  const server = new RawServer();
  const { port, front } = await startFront(await server.listen());
  const client = await RawClient.connect(port);
  await client.send('GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n');
  await until('both are there', () => server.received.includes('/2'));
  front.drain();
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  server.sockets[0]?.write(`${answer}HTTP/1.1 103 Early Hints\r\n\r\n${answer.slice(0, 20)}`);
  await delay(20);
  server.sockets[0]?.write(answer.slice(20));
  await until('the end', () => client.ended);
  const last = answer.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');
  assert.equal(client.text, `${answer}HTTP/1.1 103 Early Hints\r\n\r\n${last}`);
});
