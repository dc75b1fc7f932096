import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { AuditServiceClient, AuditType } from '@sentinel/contracts/sentinel/v1/audit.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { callUnary, createClient } from '@sentinel/service-kit/grpc-client';
import { makeAuthority } from '@sentinel/test-kit';
import { commitEvents, eventOf } from '../testing/wire.js';
import { WriterProcess } from '../testing/writer-process.js';

it('with mutual TLS the certificate decides who may write', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sentinel-ledger-tls-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const authority = await makeAuthority(folder);
  const files = await authority.issue('audit-ledger');
  const tls = { enabled: true, cert_file: files.certFile, key_file: files.keyFile, ca_file: files.caFile };
  await using writer = new WriterProcess({ tls, service_token: '', operator_token: '' });
  const { grpc, http } = await writer.start();

  for (const [role, producer, outcome] of [
    ['correlation-engine', 'correlation-engine/1', 'taken'],
    ['inference-monitor', 'inference-monitor/1', 'taken'],
    ['inference-monitor', 'correlation-engine/1', 'PERMISSION_DENIED'],
    ['viewer', 'viewer/1', 'PERMISSION_DENIED'],
    ['probe-agent', 'correlation-engine/1', 'PERMISSION_DENIED'],
  ] as const) {
    const identity = { files: await authority.issue(role), keyPrefix: 'test.tls', serverName: 'localhost' };
    const client = createClient(AuditServiceClient, { address: grpc, tls: identity, token: '' });
    const events = [{ ...eventOf(1), type: AuditType.ANOMALY }];
    const request = { producer, producerEpoch: 0n, firstSequence: 0n, events };
    const got = await commitEvents(client, request).then(
      () => 'taken',
      (error: unknown) => SentinelError.from(error).code,
    );
    assert.equal(got, outcome, `${role} as ${producer}`);
    assert.match((await callUnary(client, client.getCheckpoint, {})).checkpoint, /^sentinel\/test\n/);
    client.close();
  }
  assert.equal(await statusOver(http, readFileSync(authority.caFile)), 200);
});

async function statusOver(address: string, ca: Buffer): Promise<number | undefined> {
  return await new Promise((resolve, reject) => {
    const call = request(`https://${address}/checkpoint`, { ca }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    call.on('error', reject);
    call.end();
  });
}
