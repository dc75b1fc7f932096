import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import type pg from 'pg';
import { expectAnswers, NoAnswerError } from './answers.js';

const LIMIT_MS = 20;

/** The end of a connection, and a client at it that takes whatever comes for the answer. */
async function connection(t: { after(end: () => void): void }): Promise<{ server: Socket; client: pg.ClientBase }> {
  const listener = createServer().listen(0, '127.0.0.1');
  t.after(() => listener.close());
  await once(listener, 'listening');
  const stream = connect((listener.address() as AddressInfo).port, '127.0.0.1');
  const [[server]] = (await Promise.all([once(listener, 'connection'), once(stream, 'connect')])) as [
    [Socket],
    unknown,
  ];
  t.after(() => {
    for (const end of [stream, server]) end.destroy();
  });
  const client = { connection: { stream }, query: () => once(stream, 'data') } as unknown as pg.ClientBase;
  expectAnswers(client, () => LIMIT_MS);
  return { server, client };
}

/** As a machine does that has other work. */
function standStill(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5 * LIMIT_MS);
}

test('an answer that came while this process stood still is read, however late', async (t) => {
  const { server, client } = await connection(t);
  const answer = client.query('select');
  server.write('an answer');
  standStill();
  assert.deepEqual(await answer, [Buffer.from('an answer')]);
});

test('a connection on which no answer comes is ended', async (t) => {
  const { client } = await connection(t);
  await assert.rejects(client.query('select'), NoAnswerError);
});
