import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeAuthority, temporaryFolder } from '@sentinel/test-kit';
import { httpFetch } from './http-fetch.js';

test('an installation’s own authority is trusted, another one is not', async () => {
  await using folder = await temporaryFolder();
  const [ours, theirs] = [await makeAuthority(join(folder.path, 'a')), await makeAuthority(join(folder.path, 'b'))];
  const [client, stranger] = [await ours.issue('operator'), await theirs.issue('operator')];
  const { certFile, keyFile } = await ours.issue('audit-ledger');
  const server = createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, (request, response) => {
    response.writeHead(request.url === '/checkpoint' ? 200 : 404).end('signed');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const base = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const answer = await httpFetch(client)(`${base}/checkpoint`);
    assert.deepEqual([answer.ok, Buffer.from(await answer.arrayBuffer()).toString()], [true, 'signed']);
    assert.deepEqual((await httpFetch(client)(`${base}/nothing`)).status, 404);
    await assert.rejects(httpFetch(stranger)(`${base}/checkpoint`), /certificate|signature/);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
