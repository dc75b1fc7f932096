import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, tcpProxy } from '@sentinel/test-kit';
import { caller } from './testing/client.js';
import { NOTHING_DONE, TOKENS, testServer, testServices } from './testing/server.js';

test('the token goes with every call', async () => {
  const subjects: string[] = [];
  const services = testServices((_, { subject }) => {
    subjects.push(subject);
    return NOTHING_DONE;
  });
  await using server = await testServer({ services });
  using operator = caller(server.address, { token: TOKENS.operator });
  await operator.order();
  await operator.order();
  assert.deepEqual(subjects, ['operator token', 'operator token']);
});

test('a call that is not answered ends at its deadline', async () => {
  const services = testServices(async () => {
    await delay(120_000, undefined, { ref: false });
    return NOTHING_DONE;
  });
  await using server = await testServer({ services });
  using operator = caller(server.address);
  const start = performance.now();
  const error = await operator.refusal({}, 200);
  assert.deepEqual([error.code, error.reason], ['DEADLINE_EXCEEDED', 'DEADLINE']);
  assert.ok(performance.now() - start < 60_000);
});

test('a network that swallows everything ends a call at its deadline too', async () => {
  await using server = await testServer();
  await using proxy = await tcpProxy(server.address);
  using operator = caller(proxy.address);
  await operator.order();
  proxy.stall();
  assert.equal((await operator.refusal({}, 200)).code, 'DEADLINE_EXCEEDED');
});

test('nobody there is UNAVAILABLE; a client connects by itself when the server comes', async () => {
  const port = await freePort();
  using operator = caller(`127.0.0.1:${port}`);
  assert.equal((await operator.refusal()).code, 'UNAVAILABLE');
  await using server = await testServer({ address: `127.0.0.1:${port}` });
  assert.ok(server.address.endsWith(`:${port}`));
  for (let i = 0; ; i += 1) {
    try {
      await operator.order({}, 10_000);
      break;
    } catch (error) {
      if (i > 40) throw error;
      await delay(100);
    }
  }
});

test('a connection that is cut is made again', async () => {
  await using server = await testServer();
  await using proxy = await tcpProxy(server.address);
  using operator = caller(proxy.address);
  await operator.order();
  proxy.cut();
  await delay(50);
  await operator.order().catch(() => operator.order());
});
