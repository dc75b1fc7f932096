import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { makeAuthority, temporaryFolder } from '@sentinel/test-kit';
import { serverAt, startFront } from '../testing/front-in-process.js';
import { zeroCounts } from './counts.js';
import { Http2Bridge } from './http2/bridge.js';
import { NO_SAMPLING } from './sampling/no-sampling.js';

/** Says how it was reached. */
const answer: RequestListener = (request, response) => {
  response.setHeader('content-type', 'text/plain');
  const { servername } = request.socket as Partial<TLSSocket>;
  response.end(`${request.headers.host} ${'encrypted' in request.socket} ${servername}`);
};

let tlsServer: Server;
/** Its authority is one that nobody knows. */
let untrusted: Server;
before(async () => {
  const folder = await temporaryFolder();
  const serve = async (name: string) => {
    const { certFile, keyFile, caFile } = await (await makeAuthority(join(folder.path, name), name)).issue('server');
    const server = createTlsServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, answer);
    return { server, caFile };
  };
  const { server, caFile } = await serve('known');
  tlsServer = server;
  untrusted = (await serve('unknown')).server;
  // As NODE_EXTRA_CA_CERTS does for the sidecar.
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(caFile, 'utf8')]);
  await folder[Symbol.asyncDispose]();
});

async function listening(server: Server, host: string): Promise<number> {
  server.listen(0, host);
  await once(server, 'listening');
  after(() => server.close().closeAllConnections());
  return (server.address() as AddressInfo).port;
}

async function throughFront(upstream: string): Promise<[http1: string, http2: string]> {
  const counts = zeroCounts();
  const bridge = new Http2Bridge({ ...serverAt(upstream), sampling: NO_SAMPLING, counts, maxRequests: 100 });
  const http2 = (client: Parameters<Http2Bridge['serve']>[0], first: Buffer) => bridge.serve(client, first);
  const { port } = await startFront(upstream, { http2, counts });
  const one = await (await fetch(`http://127.0.0.1:${port}/`)).text();
  const session = connect(`http://127.0.0.1:${port}`);
  const stream = session.request({ ':path': '/' }).setEncoding('utf8');
  const two = (await stream.toArray()).join('');
  session.close();
  return [one, two].map((text) => text.replace(/^\S+/, 'HOST')) as [string, string];
}

test('an address of IPv6 is reached over HTTP/1.1 and HTTP/2', async () => {
  const port = await listening(createServer(answer), '::1');
  assert.deepEqual(await throughFront(`http://[::1]:${port}`), ['HOST false undefined', 'HOST false undefined']);
});

test('a server with TLS is reached by name and by address, and has to be who it says', async () => {
  const port = await listening(tlsServer, '127.0.0.1');
  const seen = { localhost: 'HOST true localhost', '127.0.0.1': 'HOST true false' };
  for (const [host, says] of Object.entries(seen))
    assert.deepEqual(await throughFront(`https://${host}:${port}`), [says, says], host);
  const unknown = await listening(untrusted, '127.0.0.1');
  for (const upstream of [`https://127.0.0.2:${port}`, `https://localhost:${unknown}`]) {
    const counts = zeroCounts();
    const errors: Error[] = [];
    const { port: front } = await startFront(upstream, { counts, onUnavailable: (error) => errors.push(error) });
    const { status } = await fetch(`http://127.0.0.1:${front}/`);
    assert.deepEqual([status, counts.unavailable, errors.length], [502, 1, 1], upstream);
  }
});
