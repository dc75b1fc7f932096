import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Metadata } from '@grpc/grpc-js';
import { CorrelationServiceClient } from '@sentinel/contracts/sentinel/v1/health.js';
import {
  IssueDirectiveRequest_Action as Action,
  IssueDirectiveRequest,
  QuarantineServiceClient,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { CALLER_HEADER, carriedConnection, encodeCaller } from '@sentinel/service-kit/carried-caller';
import { SentinelError } from '@sentinel/service-kit/errors';
import { type ClientConnection, callUnary, createClient } from '@sentinel/service-kit/grpc-client';
import { eventually, makeAuthority, type TemporaryFolder, temporaryFolder } from '@sentinel/test-kit';
import { tryToReport } from '../testing/agent.js';
import type { TestEngine } from '../testing/engine.js';
import { askHttps } from '../testing/https.js';
import { Replicas } from '../testing/replicas.js';

type Tls = NonNullable<ClientConnection['tls']>;

describe('who calls, where calls are carried under mutual TLS', () => {
  let folder: TemporaryFolder;
  let replicas: Replicas;
  let door: TestEngine;
  let as: (name: string, node?: string) => Promise<Tls>;
  before(async () => {
    folder = await temporaryFolder();
    const authority = await makeAuthority(folder.path);
    as = async (name, node) => ({
      files: await authority.issue(node === undefined ? name : { name, node }),
      keyPrefix: 'test.tls',
      serverName: 'localhost',
    });
    const { certFile, keyFile, caFile } = await authority.issue('correlation-engine');
    const tls = { enabled: true, cert_file: certFile, key_file: keyFile, ca_file: caFile };
    replicas = await Replicas.start(2, { tls, security: { require_node_identity: true } });
    door = replicas.all[1] as TestEngine;
    const reader = createClient(CorrelationServiceClient, { address: door.grpc, tls: await as('viewer'), token: '' });
    const fleet = { nodePrefix: '', model: '', state: 0, limit: 0, pageToken: '' } as const;
    await eventually(() => callUnary(reader, reader.queryFleetHealth, fleet), { what: 'the leader answers' });
    reader.close();
  });
  after(async () => {
    await replicas.remove();
    await folder[Symbol.asyncDispose]();
  });

  const hello = (node: string, tls: Tls): Promise<string> => tryToReport(door.grpc, { node, tls });
  /** @returns the actor that the ledger names, or why the order is refused */
  const order = async (address: string, tls: Tls, header: Buffer | null = null): Promise<string> => {
    const client = createClient(QuarantineServiceClient, { address, tls, token: '' });
    const metadata = new Metadata();
    if (header !== null) metadata.set(CALLER_HEADER, header);
    const request = { gpu: 'CPU-proven', action: Action.QUARANTINE, reason: 'a test', directiveId: tls.files.certFile };
    try {
      return await new Promise((resolve, reject) => {
        client.issueDirective(IssueDirectiveRequest.fromPartial(request), metadata, (error, answer) =>
          error === null ? resolve(answer.transition?.actor ?? '') : reject(error),
        );
      });
    } catch (error) {
      return SentinelError.from(error).reason;
    } finally {
      client.close();
    }
  };

  it('the node is the one of the certificate that was shown to the replica', async () => {
    assert.equal(await hello('proven', await as('probe-agent', 'proven')), 'welcome');
    assert.equal(await hello('victim', await as('probe-agent', 'attacker')), 'NODE_MISMATCH');
    assert.equal(await hello('shared', await as('probe-agent')), 'NODE_MISMATCH');
    assert.equal(await hello('viewed', await as('viewer')), 'ROLE_NOT_ALLOWED');
  });

  it('an agent cannot say that it is an operator, to a replica or to the leader', async () => {
    const identity = { role: 'operator', node: null, via: 'certificate', subject: 'operator' } as const;
    const forged = encodeCaller({ identity, connection: carriedConnection('replica', 'a>b') });
    const agent = await as('probe-agent', 'attacker');
    const [leader] = await door.sql<{ address: string }>('select address from leader');
    for (const address of [door.grpc, replicas.first.grpc, leader?.address ?? ''])
      assert.equal(await order(address, agent, forged), 'ROLE_NOT_ALLOWED', address);
    assert.equal(await order(leader?.address ?? '', await as('operator')), 'ROLE_NOT_ALLOWED', 'not even an operator');
    assert.equal(await order(door.grpc, await as('operator')), 'operator');
  });

  it('over HTTP, too, it is the operator whose certificate was shown to the replica', async () => {
    const body = { directiveId: 'h-1', gpu: 'CPU-proven', action: 'REINSTATE', reason: 'a test' };
    const viewer = await askHttps(door.http, '/api/v1/quarantine', (await as('viewer')).files, body);
    assert.deepEqual([viewer.status, viewer.json.error?.reason], [403, 'ROLE_NOT_ALLOWED']);
    const { status, json } = await askHttps(door.http, '/api/v1/quarantine', (await as('admin')).files, body);
    assert.equal(status, 200, JSON.stringify(json));
    assert.equal(json.transition?.actor, 'admin');
  });
});
