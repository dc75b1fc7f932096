import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { type CertificateFiles, makeAuthority, makeCertificates } from './certificates.js';
import { temporaryFolder } from './temporary-folder.js';

const read = (files: CertificateFiles) => ({
  cert: readFileSync(files.certFile),
  key: readFileSync(files.keyFile),
  ca: readFileSync(files.caFile),
});

/** Common name of the client as a server that demands certificates sees it. */
async function handshake(server: CertificateFiles, client: CertificateFiles): Promise<string> {
  const listener = createServer({ ...read(server), requestCert: true, minVersion: 'TLSv1.3' });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const accepted = once(listener, 'secureConnection') as Promise<[TLSSocket]>;
  const refused = once(listener, 'tlsClientError').then(([error]) => Promise.reject(error as Error));
  const socket = connect({ ...read(client), host: '127.0.0.1', port: (listener.address() as AddressInfo).port });
  try {
    const failed = once(socket, 'close').then(() => Promise.reject(socket.errored ?? new Error('closed')));
    socket.on('error', () => {});
    const [peer] = await Promise.race([accepted, refused, failed]);
    return String(peer.getPeerCertificate().subject.CN);
  } finally {
    socket.destroy();
    listener.close();
  }
}

test('leaves of one authority know each other by 127.0.0.1, others are refused', async () => {
  await using folder = await temporaryFolder();
  const { engine, agent } = await makeCertificates(folder.join('ours'), 'engine', 'agent');
  assert.equal(await handshake(engine, agent), 'agent');

  const foreign = await makeCertificates(folder.join('foreign'), 'agent');
  await assert.rejects(handshake(engine, { ...foreign.agent, caFile: engine.caFile }));
});

test('a leaf names its node and hosts, and its key is for its owner alone', async () => {
  await using folder = await temporaryFolder();
  const authority = await makeAuthority(folder.path);
  const files = await authority.issue({ name: 'sentinel-probe-agent', node: 'rack 7/a', dns: ['agent.example'] });
  const leaf = new X509Certificate(readFileSync(files.certFile));
  assert.equal(leaf.subject, 'CN=sentinel-probe-agent');
  assert.match(leaf.subjectAltName ?? '', /URI:sentinel:\/\/node\/rack%207%2Fa/);
  for (const host of ['localhost', 'agent.example', 'sentinel-probe-agent']) assert.equal(leaf.checkHost(host), host);
  assert.equal(leaf.checkIP('127.0.0.1'), '127.0.0.1');
  assert.ok(leaf.verify(new X509Certificate(readFileSync(files.caFile)).publicKey));
  assert.equal(statSync(files.keyFile).mode & 0o777, 0o600);
});

test('an ended certificate is refused', async () => {
  await using folder = await temporaryFolder();
  const authority = await makeAuthority(folder.path);
  const server = await authority.issue('engine');
  const ended = await authority.issue({ name: 'agent', validDays: -1 });
  await assert.rejects(handshake(server, ended));
});
