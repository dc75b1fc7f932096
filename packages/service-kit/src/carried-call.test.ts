import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata } from '@grpc/grpc-js';
import { IssueDirectiveRequest, QuarantineServiceClient } from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { makeAuthority, temporaryFolder } from '@sentinel/test-kit';
import type { Identity } from './auth.js';
import { CALLER_HEADER, carriedConnection, encodeCaller } from './carried-caller.js';
import { SentinelError } from './errors.js';
import { type ClientConnection, createClient } from './grpc-client.js';
import type { GrpcServerOptions } from './grpc-server.js';
import { NOTHING_DONE, TOKENS, testServer, testServices } from './testing/server.js';

const OPERATOR: Identity = { role: 'operator', node: null, via: 'token', subject: 'operator token' };
const HEADER = encodeCaller({ identity: OPERATOR, connection: carriedConnection('engine-1', 'a>b') });

/** What becomes of an order that says for whom it is carried. @returns the identity that the handler saw, or why it was refused */
async function order(
  options: Partial<GrpcServerOptions>,
  connection: Partial<ClientConnection>,
  header: Buffer | null,
): Promise<string> {
  const services = testServices((_, { role, subject }) => {
    seen = `${role} ${subject}`;
    return NOTHING_DONE;
  });
  let seen = '';
  await using server = await testServer({ services, ...options });
  const client = createClient(QuarantineServiceClient, {
    address: server.address,
    tls: null,
    token: '',
    ...connection,
  });
  const metadata = new Metadata();
  if (header !== null) metadata.set(CALLER_HEADER, header);
  const error = await new Promise<Error | null>((resolve) =>
    client.issueDirective(IssueDirectiveRequest.fromPartial({}), metadata, resolve),
  );
  client.close();
  if (error === null) return seen;
  const { code, reason } = SentinelError.from(error);
  return `${code} ${reason}`;
}

test('a port for replicas believes them, and nobody else, about who calls', async () => {
  const port = { carriers: ['service'] } as const;
  const replica = { token: TOKENS.service };
  assert.equal(await order(port, replica, HEADER), 'operator operator token');
  assert.equal(await order(port, replica, null), 'UNAUTHENTICATED CREDENTIALS_MISSING');
  assert.equal(await order(port, replica, Buffer.from('{"role":"admin"}')), 'UNAUTHENTICATED CREDENTIALS_MISSING');
  assert.equal(await order(port, { token: '' }, HEADER), 'UNAUTHENTICATED CREDENTIALS_MISSING');
  assert.equal(await order(port, { token: 'guess' }, HEADER), 'UNAUTHENTICATED CREDENTIALS_INVALID');
  assert.equal(await order(port, { token: TOKENS.operator }, HEADER), 'PERMISSION_DENIED ROLE_NOT_ALLOWED');
  const viewer = encodeCaller({ identity: { ...OPERATOR, role: 'viewer' }, connection: carriedConnection('e', 'a>b') });
  assert.equal(
    await order(port, replica, viewer),
    'PERMISSION_DENIED ROLE_NOT_ALLOWED',
    'what the caller may do is asked again',
  );
});

test('a port for clients does not read what a caller says of others', async () => {
  assert.equal(await order({}, { token: '' }, HEADER), 'UNAUTHENTICATED CREDENTIALS_MISSING');
  assert.equal(await order({}, { token: TOKENS.service }, HEADER), 'PERMISSION_DENIED ROLE_NOT_ALLOWED');
});

test('with mutual TLS only the certificate of a replica carries', async () => {
  await using folder = await temporaryFolder();
  const authority = await makeAuthority(folder.path);
  const engine = await authority.issue('correlation-engine');
  const port = {
    tls: { files: engine, keyPrefix: 'test.tls', mutual: true },
    carriers: ['engine'],
  } as const;
  const as = async (name: string, serverRole: 'engine' | 'ledger' = 'engine'): Promise<Partial<ClientConnection>> => ({
    tls: { files: await authority.issue(name), keyPrefix: 'test.tls', serverName: '', serverRole },
  });
  assert.equal(await order(port, await as('correlation-engine'), HEADER), 'operator operator token');
  for (const name of ['probe-agent', 'operator', 'audit-ledger'])
    assert.equal(await order(port, await as(name), HEADER), 'PERMISSION_DENIED ROLE_NOT_ALLOWED', name);
  const withToken = { ...(await as('probe-agent')), token: TOKENS.service };
  assert.equal(await order(port, withToken, HEADER), 'PERMISSION_DENIED ROLE_NOT_ALLOWED', 'a token is no certificate');
  assert.match(await order(port, await as('correlation-engine', 'ledger'), HEADER), /UNAVAILABLE/);
});

test('handlers of a server can be replaced', async () => {
  const answers: string[] = [];
  const services = (name: string) =>
    testServices(() => {
      answers.push(name);
      return NOTHING_DONE;
    });
  await using server = await testServer({ services: services('first') });
  const client = createClient(QuarantineServiceClient, { address: server.address, tls: null, token: TOKENS.operator });
  const call = () => new Promise((resolve) => client.issueDirective(IssueDirectiveRequest.fromPartial({}), resolve));
  await call();
  server.handleBy(services('second'));
  await call();
  client.close();
  assert.deepEqual(answers, ['first', 'second']);
});
