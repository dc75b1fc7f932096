import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { mock, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { eventually } from '@sentinel/test-kit';
import { pino } from 'pino';
import { SentinelError } from './errors.js';
import { silentLogger } from './logging.js';
import { Counter, createRegistry, serveMetrics } from './metrics.js';

const log = silentLogger();
const common = { addressKey: 'probe_agent.metrics.listen_address', log, required: false };

async function takePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { address, [Symbol.dispose]: () => void server.close() };
}

test('GET /metrics answers with the registry, everything else with 404', async () => {
  const registry = createRegistry();
  new Counter({ name: 'sentinel_things_total', help: 'Things.', registers: [registry] }).inc(3);
  const server = await serveMetrics({ ...common, registry, address: '127.0.0.1:0' });
  const page = await fetch(`http://${server.address}/metrics?x=1`);
  const body = await page.text();
  assert.equal(page.headers.get('content-type'), registry.contentType);
  assert.equal(page.headers.get('keep-alive'), 'timeout=120', 'a scraper keeps its connection');
  assert.match(body, /^sentinel_things_total 3$/m);
  assert.match(body, /^process_resident_memory_bytes \d+/m);
  assert.equal((await fetch(`http://${server.address}/`)).status, 404);
  assert.equal((await fetch(`http://${server.address}/metrics`, { method: 'POST' })).status, 404);
  await server.close();
  await assert.rejects(fetch(`http://${server.address}/metrics`));
});

test('a taken port is an error that names the setting where metrics are required', async () => {
  using taken = await takePort();
  const start = serveMetrics({ ...common, registry: createRegistry(), address: taken.address, required: true });
  await assert.rejects(start, (error: unknown) => {
    assert.ok(error instanceof SentinelError);
    assert.equal(error.code, 'UNAVAILABLE');
    assert.equal(error.field, common.addressKey);
    assert.match(error.sentence, /EADDRINUSE.*Set probe_agent\.metrics\.listen_address to a free address\./);
    return true;
  });
});

test('otherwise a taken port is said once, tried again, and served when it becomes free', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const lines: string[] = [];
    const warnings: unknown[] = [];
    const onWarning = (warning: Error): unknown => warnings.push(warning);
    process.on('warning', onWarning);
    const taken = await takePort();
    const server = await serveMetrics({
      ...common,
      registry: createRegistry(),
      address: taken.address,
      log: pino({}, { write: (line) => void lines.push(line) }),
    });
    assert.equal(server.address, null);
    for (let i = 0; i < 15; i += 1) {
      mock.timers.tick(5_000);
      for (let turn = 0; turn < 5; turn += 1) await nextTurn();
    }
    assert.equal(lines.filter((line) => line.includes(common.addressKey)).length, 1);
    taken[Symbol.dispose]();
    await nextTurn();
    mock.timers.tick(5_000);
    mock.timers.reset();
    await eventually(() => server.address === taken.address, { what: 'the port is served' });
    assert.equal((await fetch(`http://${taken.address}/metrics`)).status, 200);
    assert.deepEqual(warnings, []);
    process.off('warning', onWarning);
    await server.close();
  } finally {
    mock.timers.reset();
  }
});

test('a server that never got its port closes at once', async () => {
  using taken = await takePort();
  const server = await serveMetrics({ ...common, registry: createRegistry(), address: taken.address });
  await server.close();
});
