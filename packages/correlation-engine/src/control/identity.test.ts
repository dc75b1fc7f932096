import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CorrelationServiceClient } from '@sentinel/contracts/sentinel/v1/health.js';
import { IssueDirectiveRequest_Action, QuarantineServiceClient } from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { type ClientConnection, callUnary, createClient } from '@sentinel/service-kit/grpc-client';
import { type CertificateAuthority, type CertificateFiles, makeAuthority } from '@sentinel/test-kit';
import { tryToReport } from '../testing/agent.js';
import { OPERATOR_TOKEN, TestEngine } from '../testing/engine.js';
import { askHttps } from '../testing/https.js';

describe('identities under mutual TLS', () => {
  let authority: CertificateAuthority;
  let engine: TestEngine;
  before(async () => {
    engine = new TestEngine();
    authority = await makeAuthority(`${engine.folder}/certs`);
    const { certFile, keyFile, caFile } = await authority.issue('correlation-engine');
    engine.reload({ tls: { enabled: true, cert_file: certFile, key_file: keyFile, ca_file: caFile } });
    await engine.start();
  });
  after(() => engine.remove());

  const as = async (name: string, node?: string): Promise<ClientConnection['tls']> => ({
    files: await authority.issue(node === undefined ? name : { name, node }),
    keyPrefix: 'test.tls',
    serverName: 'localhost',
  });
  const hello = (node: string, tls: ClientConnection['tls']): Promise<string> =>
    tryToReport(engine.grpc, { node, tls });
  const identityOf = async (node: string): Promise<string | undefined> => {
    const client = createClient(CorrelationServiceClient, { address: engine.grpc, tls: await as('viewer'), token: '' });
    const { health } = await callUnary(client, client.queryGpuHealth, { gpu: `CPU-${node}` });
    client.close();
    return health?.identity;
  };

  it('believes a certificate that names the node', async () => {
    assert.equal(await hello('proven', await as('probe-agent', 'proven')), 'welcome');
    assert.equal(await identityOf('proven'), 'certificate');
  });

  it('refuses a certificate that names another node', async () => {
    assert.equal(await hello('victim', await as('probe-agent', 'attacker')), 'NODE_MISMATCH');
  });

  it('says "shared key" of a certificate that names none, until it demands names', async () => {
    assert.equal(await hello('shared', await as('probe-agent')), 'welcome');
    assert.equal(await identityOf('shared'), 'shared key');
    const tls = await as('correlation-engine');
    assert.ok(tls);
    const { certFile, keyFile, caFile } = tls.files;
    engine.reload({
      tls: { enabled: true, cert_file: certFile, key_file: keyFile, ca_file: caFile },
      security: { require_node_identity: true },
    });
    assert.equal(await hello('shared', await as('probe-agent')), 'NODE_MISMATCH');
    assert.equal(await hello('proven-too', await as('probe-agent', 'proven-too')), 'welcome');
  });

  it('takes evidence from agents alone, and orders from operators alone', async () => {
    assert.equal(await hello('viewer-node', await as('viewer')), 'ROLE_NOT_ALLOWED');
    const order = async (name: string): Promise<string> => {
      const client = createClient(QuarantineServiceClient, { address: engine.grpc, tls: await as(name), token: '' });
      const request = {
        directiveId: name,
        gpu: 'CPU-proven',
        action: IssueDirectiveRequest_Action.QUARANTINE,
        reason: 'a test',
        requiresApproval: false,
        evidence: [],
      };
      return callUnary(client, client.issueDirective, request)
        .then(
          ({ transition }) => transition?.actor ?? '',
          (error: unknown) => SentinelError.from(error).reason,
        )
        .finally(() => client.close());
    };
    assert.equal(await order('probe-agent'), 'ROLE_NOT_ALLOWED');
    assert.equal(await order('operator'), 'operator');
  });

  describe('of an operator', () => {
    const persons = new Map<string, ClientConnection['tls']>();
    before(async () => {
      await hello('judged', await as('probe-agent', 'judged'));
      for (const person of ['alice', 'bob']) {
        const files = await authority.issue({ name: 'operator', file: person, person });
        persons.set(person, { files, keyPrefix: 'test.tls', serverName: 'localhost' });
      }
    });

    /** @returns who proposed it */
    const propose = async (
      directiveId: string,
      tls: ClientConnection['tls'] | undefined,
      token = '',
    ): Promise<string> => {
      const client = createClient(QuarantineServiceClient, { address: engine.grpc, tls: tls ?? null, token });
      const order = { gpu: 'CPU-judged', action: IssueDirectiveRequest_Action.QUARANTINE, reason: 'a test' };
      const request = { ...order, directiveId, requiresApproval: true, evidence: [] };
      const { pending } = await callUnary(client, client.issueDirective, request).finally(() => client.close());
      return pending?.proposedBy ?? '';
    };
    /** @returns who approved it, or why that is refused */
    const approve = (directiveId: string, tls: ClientConnection['tls'] | undefined, token = ''): Promise<string> => {
      const client = createClient(QuarantineServiceClient, { address: engine.grpc, tls: tls ?? null, token });
      return callUnary(client, client.approve, { directiveId, reason: 'seen' })
        .then(
          ({ transition }) => transition?.actor ?? '',
          (error: unknown) => SentinelError.from(error).reason,
        )
        .finally(() => client.close());
    };

    it('nobody approves their own proposal, by the operator token neither; another person does', async () => {
      assert.equal(await propose('p-1', persons.get('alice')), 'alice');
      assert.equal(await approve('p-1', persons.get('alice')), 'SECOND_PERSON_NEEDED');
      assert.equal(await approve('p-1', persons.get('alice'), OPERATOR_TOKEN), 'SECOND_PERSON_NEEDED');
      assert.equal(await approve('p-1', persons.get('bob'), OPERATOR_TOKEN), 'bob');
    });

    it('the operator token authorises under any other certificate, and is one person whoever holds it', async () => {
      await reinstate();
      assert.equal(await propose('p-2', await as('viewer'), OPERATOR_TOKEN), 'operator token');
      assert.equal(await approve('p-2', await as('monitor'), OPERATOR_TOKEN), 'SECOND_PERSON_NEEDED');
      assert.equal(await approve('p-2', await as('viewer')), 'ROLE_NOT_ALLOWED');
      assert.equal(await approve('p-2', persons.get('alice')), 'alice');
    });

    const reinstate = async (): Promise<void> => {
      const client = createClient(QuarantineServiceClient, {
        address: engine.grpc,
        tls: persons.get('bob') ?? null,
        token: '',
      });
      const order = { gpu: 'CPU-judged', action: IssueDirectiveRequest_Action.REINSTATE, reason: 'a test' };
      const request = { ...order, directiveId: 'back', requiresApproval: false, evidence: [] };
      const { transition } = await callUnary(client, client.issueDirective, request).finally(() => client.close());
      assert.equal(transition?.actor, 'bob');
    };
  });

  describe('over HTTP', () => {
    const path = '/api/v1/quarantine';
    const back = { directive_id: 'h-1', gpu_uuid: 'CPU-judged', action: 'REINSTATE', reason: 'a test' };
    const filesOf = async (name: string) => authority.issue(name);

    it('a certificate of an operator gives orders as a token does, and names who', async () => {
      const files = await authority.issue({ name: 'admin', email: 'carol@example.org' });
      const { status, json } = await askHttps(engine.http, path, files, back);
      assert.equal(status, 200, JSON.stringify(json));
      assert.equal(json.transition?.actor, 'carol@example.org');
      const again = { ...back, directive_id: 'h-2', action: 'QUARANTINE' };
      const byToken = await askHttps(engine.http, path, await filesOf('viewer'), again, OPERATOR_TOKEN);
      assert.equal(byToken.json.transition?.actor, 'operator token');
    });

    it('nobody else gives orders, and whoever has no certificate may read', async () => {
      const none = { ...(await filesOf('viewer')), certFile: '' };
      const reasonOf = async (files: CertificateFiles, token = '') => {
        const { status, json } = await askHttps(engine.http, path, files, { ...back, directive_id: 'h-3' }, token);
        return `${status} ${json.error?.reason}`;
      };
      assert.equal(await reasonOf(await filesOf('viewer')), '403 ROLE_NOT_ALLOWED');
      assert.equal(await reasonOf(await filesOf('unknown')), '401 CREDENTIALS_MISSING');
      assert.equal(await reasonOf(none), '401 CREDENTIALS_MISSING');
      assert.equal(await reasonOf(none, 'guess'), '401 CREDENTIALS_INVALID');
      assert.equal((await askHttps(engine.http, '/api/v1/fleet', none)).status, 200);
    });

    it('a certificate of another authority, or one that has ended, is refused with the reason', async () => {
      const other = await (await makeAuthority(`${engine.folder}/http-certs`)).issue('operator');
      const { caFile } = await filesOf('viewer');
      const ended = await authority.issue({ name: 'operator', file: 'ended', validDays: -1 });
      for (const [files, why] of [
        [{ ...other, caFile }, /CERT_SIGNATURE_FAILURE/],
        [ended, /CERT_HAS_EXPIRED/],
      ] as const) {
        const { status, json } = await askHttps(engine.http, path, files, back, OPERATOR_TOKEN);
        assert.deepEqual([status, json.error?.reason], [401, 'CREDENTIALS_INVALID']);
        assert.match(json.error?.message ?? '', why);
      }
    });
  });

  it('lets nobody in without a certificate', async () => {
    const files = { ...(await authority.issue('stranger')) };
    const other = await makeAuthority(`${engine.folder}/other-certs`);
    const foreign = await other.issue('probe-agent');
    const tls = { files: { ...foreign, caFile: files.caFile }, keyPrefix: 'test.tls', serverName: 'localhost' };
    assert.notEqual(await hello('stranger', tls), 'welcome');
  });
});
