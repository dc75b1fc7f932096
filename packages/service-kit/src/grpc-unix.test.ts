import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client, credentials } from '@grpc/grpc-js';
import { startGrpcServer } from './grpc-server.js';
import { silentLogger } from './logging.js';

test('a Unix socket serves plaintext without --insecure', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sentinel-unix-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const address = `unix:${join(folder, 's.sock')}`;
  const server = await startGrpcServer({
    address,
    addressKey: 'x.socket_path',
    tls: null,
    insecure: false,
    tokens: { operator: '', service: '' },
    services: [],
    maxMessageBytes: 1024,
    log: silentLogger(),
  });
  t.after(() => server.stop());
  assert.equal(server.address, address);
  const client = new Client(address, credentials.createInsecure());
  t.after(() => client.close());
  const status = await new Promise<Buffer>((resolve, reject) => {
    const path = '/grpc.health.v1.Health/Check';
    const same = (bytes: Buffer) => bytes;
    client.makeUnaryRequest(path, same, same, Buffer.alloc(0), (error, bytes) => {
      if (error === null) resolve(bytes ?? Buffer.alloc(0));
      else reject(error);
    });
  });
  // HealthCheckResponse { status: SERVING }.
  assert.deepEqual([...status], [8, 1]);
});
