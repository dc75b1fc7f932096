import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { type CertificateFiles, eventually, makeAuthority, temporaryFolder } from '@sentinel/test-kit';
import { parseAddress } from './address.js';
import { SentinelError } from './errors.js';
import type { ClientConnection } from './grpc-client.js';
import { caller } from './testing/client.js';
import { NOTHING_DONE, testServer, testServices } from './testing/server.js';
import { loadTls } from './tls.js';

const serverTls = (files: CertificateFiles, reloadIntervalMs = 60_000) => ({
  files,
  keyPrefix: 'correlation_engine.tls',
  mutual: true,
  reloadIntervalMs,
});
const clientTls = (files: CertificateFiles): ClientConnection['tls'] => ({
  files,
  keyPrefix: 'cli.tls',
  serverName: '',
});

test('a certificate gives role and node; a token beside it speaks for itself', async () => {
  await using folder = await temporaryFolder();
  const authority = await makeAuthority(folder.path);
  const seen: string[] = [];
  const services = testServices((_, { role, node, via }) => {
    seen.push(`${role} ${node} ${via}`);
    return NOTHING_DONE;
  });
  await using server = await testServer({ services, tls: serverTls(await authority.issue('correlation-engine')) });
  const operator = clientTls(await authority.issue({ name: 'sentinel-operator', node: 'desk-1' }));
  const agent = clientTls(await authority.issue('probe-agent'));
  {
    using client = caller(server.address, { tls: operator, token: '' });
    await client.order();
  }
  using refused = caller(server.address, { tls: agent, token: '' });
  assert.match(
    (await refused.refusal()).message,
    /IssueDirective is for operator, admin; the caller is agent \(probe-agent\)/,
  );
  using byToken = caller(server.address, { tls: agent });
  await byToken.order();
  assert.deepEqual(seen, ['operator desk-1 certificate', 'operator null token']);
});

test('without a certificate of our authority nobody gets in, and our clients talk to no other server', async () => {
  await using folder = await temporaryFolder();
  const ours = await makeAuthority(folder.join('ours'));
  const foreign = await makeAuthority(folder.join('foreign'));
  const serverFiles = await ours.issue('correlation-engine');
  await using server = await testServer({ tls: serverTls(serverFiles) });
  const refusal = async (connection: Partial<ClientConnection>): Promise<string> => {
    using client = caller(server.address, connection);
    return (await client.refusal({}, 30_000)).code;
  };
  const impostor = { ...(await foreign.issue('operator')), caFile: ours.caFile };
  assert.equal(await refusal({ tls: clientTls(impostor) }), 'UNAVAILABLE');
  assert.equal(await refusal({ tls: null }), 'UNAVAILABLE');
  const trustsForeign = { ...(await ours.issue('operator')), caFile: foreign.caFile };
  assert.equal(await refusal({ tls: clientTls(trustsForeign) }), 'UNAVAILABLE');
  const ended = await ours.issue({ name: 'admin', validDays: -1 });
  assert.equal(await refusal({ tls: clientTls(ended) }), 'UNAVAILABLE');
  using good = caller(server.address, { tls: clientTls(await ours.issue('operator')) });
  await good.order();
});

test('a server is known by its own name, or by the one that the client expects', async () => {
  await using folder = await temporaryFolder();
  const authority = await makeAuthority(folder.path);
  await using server = await testServer({ tls: serverTls(await authority.issue('correlation-engine')) });
  const files = await authority.issue('operator');
  using byName = caller(server.address, { tls: { files, keyPrefix: 't', serverName: 'correlation-engine' } });
  await byName.order();
  using otherName = caller(server.address, { tls: { files, keyPrefix: 't', serverName: 'audit-ledger' } });
  assert.equal((await otherName.refusal({}, 30_000)).code, 'UNAVAILABLE');
});

test('nothing older than TLS 1.3 is spoken', async () => {
  await using folder = await temporaryFolder();
  const authority = await makeAuthority(folder.path);
  const files = await authority.issue('correlation-engine');
  await using server = await testServer({ tls: serverTls(files) });
  const outcome = (maxVersion: 'TLSv1.2' | 'TLSv1.3'): Promise<string> =>
    new Promise((resolve) => {
      const { cert, key, ca } = loadTls(files, 'tls');
      const options = { ...parseAddress(server.address), maxVersion, ...(cert && key && ca ? { cert, key, ca } : {}) };
      const socket = connect({ ...options, ALPNProtocols: ['h2'] }, () => {
        resolve(socket.getProtocol() ?? '');
        socket.destroy();
      });
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });
  assert.equal(await outcome('TLSv1.3'), 'TLSv1.3');
  assert.match(await outcome('TLSv1.2'), /PROTOCOL_VERSION|ECONNRESET/);
});

test('a renewed certificate is taken up without a restart; half of one changes nothing', async () => {
  await using folder = await temporaryFolder();
  const old = await makeAuthority(folder.join('old'));
  const renewed = await makeAuthority(folder.join('new'));
  const [before, after] = [await old.issue('correlation-engine'), await renewed.issue('correlation-engine')];
  const files = { certFile: folder.join('tls.crt'), keyFile: folder.join('tls.key'), caFile: folder.join('ca.crt') };
  const install = (from: CertificateFiles, ...names: (keyof CertificateFiles)[]): void => {
    for (const name of names) copyFileSync(from[name], files[name]);
  };
  install(before, 'certFile', 'keyFile', 'caFile');
  await using server = await testServer({ tls: serverTls(files, 20) });
  const oldClient = clientTls(await old.issue('operator'));
  const newClient = clientTls(await renewed.issue('operator'));
  const order = async (tls: ClientConnection['tls']): Promise<true> => {
    using client = caller(server.address, { tls });
    await client.order({}, 30_000);
    return true;
  };
  using longLived = caller(server.address, { tls: oldClient });
  await longLived.order();

  install(after, 'certFile');
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(await order(oldClient));

  install(after, 'keyFile', 'caFile');
  await eventually(() => order(newClient), { what: 'the new certificate is used' });
  await assert.rejects(order(oldClient));
  await longLived.order();
});

test('files that are missing, foul or of two pairs are named with their setting', async () => {
  await using folder = await temporaryFolder();
  const authority = await makeAuthority(folder.path);
  const [engine, agent] = [await authority.issue('engine'), await authority.issue('agent')];
  writeFileSync(folder.join('foul'), 'no PEM');
  const failure = (files: CertificateFiles): SentinelError => {
    try {
      loadTls(files, 'correlation_engine.tls');
      return assert.fail('it was loaded');
    } catch (error) {
      return SentinelError.from(error);
    }
  };
  const missing = failure({ ...engine, caFile: folder.join('none') });
  assert.deepEqual([missing.code, missing.field], ['FAILED_PRECONDITION', 'correlation_engine.tls.ca_file']);
  assert.ok(missing.message.includes(folder.join('none')));
  assert.equal(failure({ ...engine, keyFile: agent.keyFile }).field, 'correlation_engine.tls.cert_file');
  assert.equal(failure({ ...engine, certFile: folder.join('foul') }).field, 'correlation_engine.tls.cert_file');
});
