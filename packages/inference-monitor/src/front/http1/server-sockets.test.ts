import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '@sentinel/monitor-kit/testing/until';
import { serverAt } from '../../testing/front-in-process.js';
import { READ_BYTES, ServerSockets } from './server-sockets.js';

const SENT = Buffer.from(Array.from({ length: 3_000_000 }, (_, k) => k % 251));

async function sending(): Promise<URL> {
  const server = createServer((socket) => socket.on('error', () => undefined).end(SENT));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close());
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

test('a paused connection reads and holds nothing; what two of them read is their own, whole, and ends', async () => {
  const { sockets } = serverAt((await sending()).href);
  const both = [sockets.open(true), sockets.open(true)].map((socket) => {
    const parts: Buffer[] = [];
    const of = { socket, parts, ended: false };
    socket.on('data', (bytes: Buffer) => {
      parts.push(bytes);
      socket.pause();
    });
    socket.on('end', () => {
      of.ended = true;
    });
    return of;
  });
  await until('the first', () => both.every(({ parts }) => parts.length === 1));
  await delay(50);
  assert.deepEqual(
    both.map(({ parts, socket }) => [parts.length, socket.readableLength]),
    [
      [1, 0],
      [1, 0],
    ],
  );
  await until('the rest', () => {
    for (const { socket } of both) socket.resume();
    return both.every(({ ended }) => ended);
  });
  for (const { parts, socket } of both) {
    assert.ok(parts.every(({ length }) => length <= READ_BYTES));
    assert.ok(Buffer.concat(parts).equals(SENT));
    socket.destroy();
  }
});

test('no more is read at a time than is said', async () => {
  let told = 0;
  const sockets = new ServerSockets(await sending(), (bytes) => {
    told += bytes;
    return 4_096;
  });
  const socket = sockets.open(true);
  const lengths: number[] = [];
  socket.on('data', ({ length }: Buffer) => lengths.push(length));
  await once(socket, 'end');
  assert.ok(lengths.slice(1).every((length) => length <= 4_096));
  assert.equal(told, SENT.length);
  socket.destroy();
});
