import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ClientConnection } from '@sentinel/service-kit/grpc-client';
import { type CertificateAuthority, makeAuthority } from '@sentinel/test-kit';
import { TestAgent, tryToReport } from '../testing/agent.js';
import { SERVICE_TOKEN, TestEngine } from '../testing/engine.js';
import { softEvent, TestMonitor } from '../testing/monitor.js';

describe('monitors under mutual TLS', () => {
  let authority: CertificateAuthority;
  let engine: TestEngine;
  before(async () => {
    engine = new TestEngine();
    authority = await makeAuthority(`${engine.folder}/certs`);
    const { certFile, keyFile, caFile } = await authority.issue('correlation-engine');
    engine.reload({ tls: { enabled: true, cert_file: certFile, key_file: keyFile, ca_file: caFile } });
    await engine.start();
    for (const node of ['node-1', 'node-2']) {
      const agent = new TestAgent(engine.grpc, { node, tls: await as('probe-agent') });
      await agent.connect();
      agent.close();
    }
  });
  after(() => engine.remove());

  const as = async (name: string, node?: string): Promise<ClientConnection['tls']> => ({
    files: await authority.issue(node === undefined ? name : { name, node }),
    keyPrefix: 'test.tls',
    serverName: 'localhost',
  });
  /** @returns 'taken', or the reason of the refusal */
  const report = async (tls: ClientConnection['tls'], token = ''): Promise<string> => {
    const monitor = new TestMonitor(engine.grpc, { tls: tls ?? null, token });
    monitor.record([softEvent('CPU-node-1')]);
    monitor.send(1n);
    await monitor.until(() => monitor.committedThrough === 1n || monitor.error !== null);
    const outcome = monitor.error === null ? 'taken' : monitor.error.reason;
    monitor.close();
    return outcome;
  };

  it('a certificate of a monitor, of training or inference, speaks; no other does, whatever token comes with it', async () => {
    for (const name of ['training-monitor', 'sentinel-training-monitor', 'inference-monitor'])
      assert.equal(await report(await as(name)), 'taken', name);
    for (const name of ['probe-agent', 'viewer', 'operator', 'audit-ledger'])
      assert.equal(await report(await as(name)), 'ROLE_NOT_ALLOWED', name);
    assert.equal(await report(await as('viewer'), SERVICE_TOKEN), 'ROLE_NOT_ALLOWED');
  });

  it('a certificate that names a node speaks for that node alone', async () => {
    assert.equal(await report(await as('training-monitor', 'node-1')), 'taken');
    assert.equal(await report(await as('training-monitor', 'node-2')), 'NODE_MISMATCH');
  });

  it('a monitor is no agent', async () => {
    assert.equal(
      await tryToReport(engine.grpc, { node: 'node-1', tls: await as('training-monitor') }),
      'ROLE_NOT_ALLOWED',
    );
  });

  it('where nodes have to prove themselves a certificate without one does not', async () => {
    const tls = await as('correlation-engine');
    assert.ok(tls);
    const { certFile, keyFile, caFile } = tls.files;
    engine.reload({
      tls: { enabled: true, cert_file: certFile, key_file: keyFile, ca_file: caFile },
      security: { require_node_identity: true },
    });
    assert.equal(await report(await as('training-monitor')), 'NODE_MISMATCH');
    assert.equal(await report(await as('training-monitor', 'node-1')), 'taken');
  });
});
