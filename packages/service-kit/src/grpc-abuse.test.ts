import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { eventually } from '@sentinel/test-kit';
import { parseAddress } from './address.js';
import { type Caller, caller, resultStream } from './testing/client.js';
import { testServer } from './testing/server.js';

const CONNECTIONS = 200;
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
/** An empty SETTINGS frame. */
const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

async function dial(address: string): Promise<Socket> {
  const { host, port } = parseAddress(address);
  const socket = connect(port, host).on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** A call that waits for others waits much longer, to its deadline; on a busy machine every call takes a while. */
const SERVED_MS = 8_000;
const DEADLINE_MS = 60_000;
const TRIES = 3;

/** Longest wait of calls made one after the other while `attack` runs, milliseconds. */
async function slowestDuring(operator: Caller, attack: Promise<unknown>): Promise<number> {
  let over = false;
  void attack.finally(() => {
    over = true;
  });
  let slowest = 0;
  do {
    const start = performance.now();
    await operator.order({ reason: 'still served?' }, DEADLINE_MS);
    slowest = Math.max(slowest, performance.now() - start);
  } while (!over);
  await attack;
  return slowest;
}

/** The quickest of some tries counts: a machine that stood still meanwhile keeps everybody waiting. */
async function servesDuring(operator: Caller, attack: () => Promise<void>): Promise<void> {
  let slowest = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < TRIES && slowest >= SERVED_MS; tries += 1)
    slowest = await slowestDuring(operator, attack());
  assert.ok(slowest < SERVED_MS, `a call took ${slowest} ms`);
}

test('random bytes on 200 connections harm nobody', async () => {
  await using server = await testServer();
  using operator = caller(server.address);
  using stream = resultStream(server.address);
  assert.equal(await stream.send(1n), 1n);
  const harm = async (): Promise<void> => {
    const sockets: Socket[] = [];
    await Promise.all(
      Array.from({ length: CONNECTIONS }, async (_, i) => {
        const socket = await dial(server.address);
        sockets.push(socket.resume());
        // Half of them are let past the first check, so that the frame parser gets the noise.
        if (i % 2 === 1) socket.write(Buffer.concat([Buffer.from(PREFACE), SETTINGS]));
        socket.write(randomBytes(1 + ((i * 997) % 20_000)));
      }),
    );
    // Some may have sent too little to be told from a client that is slow.
    const ended = () => sockets.filter(({ closed }) => closed).length;
    await eventually(() => ended() > CONNECTIONS / 2, { what: 'the server closes most', timeoutMs: 60_000 });
    for (const socket of sockets) socket.destroy();
  };
  await servesDuring(operator, harm);
  assert.equal(await stream.send(2n), 2n);
});

test('connections that send nothing, or a byte now and then, keep nobody waiting', async () => {
  await using server = await testServer();
  using operator = caller(server.address);
  const dribble = async (): Promise<void> => {
    const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => dial(server.address)));
    for (const byte of PREFACE.slice(0, 10)) {
      for (const socket of sockets.slice(0, CONNECTIONS / 2)) socket.write(byte);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    for (const socket of sockets) socket.destroy();
  };
  await servesDuring(operator, dribble);
});

test('an HTTP/1 request is turned away', async () => {
  await using server = await testServer();
  using operator = caller(server.address);
  const socket = await dial(server.address);
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  socket.resume();
  await eventually(() => socket.closed, { what: 'it is closed by the server' });
  await operator.order();
});

test('an abandoned message costs its sender the stream and nobody else anything', async () => {
  await using server = await testServer();
  using operator = caller(server.address);
  {
    using stream = resultStream(server.address);
    await stream.send(1n);
  }
  await operator.order();
});
