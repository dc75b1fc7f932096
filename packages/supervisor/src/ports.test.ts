import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { SentinelError } from '@sentinel/service-kit/errors';
import { freePort, requirePorts, takenPorts } from './ports.js';

test('free ports pass', async () => {
  const address = `127.0.0.1:${await freePort()}`;
  await requirePorts([{ what: 'engine gRPC', address, key: 'correlation_engine.listen_address' }]);
});

test('no free port is given twice', async () => {
  const many = 400; // of 8,000: by chance alone some of them would be the same
  const given = new Set<number>();
  for (let i = 0; i < many; i += 1) given.add(await freePort());
  assert.equal(given.size, many);
});

test('a taken port is said with its owner and what to do', async () => {
  const port = await freePort();
  const server = createServer().listen(port, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    await assert.rejects(
      requirePorts([{ what: 'engine gRPC', address: `127.0.0.1:${port}`, key: 'correlation_engine.listen_address' }]),
      (error) =>
        error instanceof SentinelError &&
        error.code === 'UNAVAILABLE' &&
        error.message.startsWith(`engine gRPC needs 127.0.0.1:${port}, and process ${process.pid} (`) &&
        /--free-ports/.test(error.hint),
    );
  } finally {
    server.close();
  }
});

test('a taken metrics port is only a sentence', async () => {
  const port = await freePort();
  const server = createServer().listen(port, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const key = 'probe_agent.metrics.listen_address';
  const notes = await takenPorts([
    { what: 'Metrics of the agent', address: `127.0.0.1:${port}`, key },
    { what: 'Metrics of the engine', address: `127.0.0.1:${await freePort()}`, key },
  ]);
  server.close();
  assert.equal(notes.length, 1);
  assert.match(
    notes[0] ?? '',
    /^Metrics of the agent needs .* has it; set probe_agent\.metrics\.listen_address to a free/,
  );
});
