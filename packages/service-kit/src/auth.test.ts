import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PeerCertificate } from 'node:tls';
import { ANONYMOUS, callerIdentity, certificateIdentity, tokenIdentity } from './auth.js';

const certificate = (commonName: string | string[], subjectaltname?: string): PeerCertificate =>
  ({ subject: { CN: commonName }, subjectaltname }) as unknown as PeerCertificate;
const nodeOf = (names: string): string | null => certificateIdentity(certificate('probe-agent', names)).node;

test('the role comes from the common name, with or without "sentinel-"', () => {
  const roleOf = (commonName: string | string[]): string => certificateIdentity(certificate(commonName)).role;
  assert.equal(roleOf('probe-agent'), 'agent');
  assert.equal(roleOf('sentinel-operator'), 'operator');
  assert.equal(roleOf('audit-ledger-reader'), 'ledger');
  for (const unknown of [
    '',
    'operators',
    'constructor',
    '__proto__',
    ['operator', 'admin'],
    'sentinel-sentinel-admin',
  ]) {
    assert.equal(roleOf(unknown), 'anonymous', String(unknown));
  }
});

test('the node comes from the one URI that names it', () => {
  assert.equal(nodeOf('DNS:localhost, URI:sentinel://node/gpu-7, IP Address:127.0.0.1'), 'gpu-7');
  assert.equal(nodeOf('URI:sentinel://node/rack%207%2Fa'), 'rack 7/a');
  assert.equal(certificateIdentity(certificate('probe-agent')).node, null);
  for (const none of [
    '',
    'DNS:localhost',
    'URI:spiffe://node/gpu-7',
    'URI:sentinel://node/',
    'URI:sentinel://node/%ff',
  ]) {
    assert.equal(nodeOf(none), null, none);
  }
});

test('a certificate that names two nodes proves none', () => {
  assert.equal(nodeOf('URI:sentinel://node/a, URI:sentinel://node/b'), null);
});

test('a name that only contains such a URI proves nothing', () => {
  // Node quotes what could be mistaken for several names.
  assert.equal(nodeOf('DNS:"x, URI:sentinel://node/victim, y"'), null);
  assert.equal(nodeOf('DNS:"x\\", URI:sentinel://node/victim, y"'), null);
  assert.equal(nodeOf('DNS:"x, URI:sentinel://node/victim, y", URI:sentinel://node/own'), 'own');
});

test('a bearer token is that of the operator, of the service, or none', () => {
  const tokens = { operator: 'o'.repeat(43), service: 's'.repeat(43) };
  assert.equal(tokenIdentity(`Bearer ${tokens.operator}`, tokens)?.role, 'operator');
  assert.equal(tokenIdentity(`bearer ${tokens.service}`, tokens)?.role, 'service');
  for (const wrong of [
    '',
    'Bearer',
    'Bearer ',
    'Basic abc',
    `Bearer ${tokens.operator}x`,
    `Bearer ${tokens.operator.slice(1)}`,
  ]) {
    assert.equal(tokenIdentity(wrong, tokens), null, wrong);
  }
});

test('an empty token of the installation is never accepted', () => {
  const tokens = { operator: '', service: '' };
  for (const presented of ['Bearer ', 'Bearer  ', 'Bearer x']) assert.equal(tokenIdentity(presented, tokens), null);
});

test('an operator is the person that the certificate names, by URI, else e-mail, else DNS name, else by its role', () => {
  const personOf = (names: string, commonName = 'sentinel-operator'): string =>
    certificateIdentity(certificate(commonName, names)).subject;
  const own = 'DNS:localhost, DNS:sentinel-operator, IP Address:127.0.0.1';
  for (const [names, person] of [
    [`${own}, URI:sentinel://operator/alice%20b, email:x@y.z`, 'alice b'],
    [`${own}, DNS:host.example, email:Alice@Example.org`, 'alice@example.org'],
    [`${own}, DNS:alice`, 'alice'],
    [own, 'operator'],
    ['', 'operator'],
    // Two names of a kind: which one speaks?
    ['URI:sentinel://operator/alice, URI:sentinel://operator/bob', 'operator'],
    ['DNS:alice, DNS:bob', 'operator'],
    ['URI:sentinel://operator/alice, URI:sentinel://operator/bob, email:a@b.c', 'a@b.c'],
    // Nothing that a column of text or a line of a terminal cannot have.
    ['URI:sentinel://operator/a%00b', 'operator'],
    ['URI:sentinel://operator/a%1b[2Jb', 'operator'],
    [`URI:sentinel://operator/${'a'.repeat(129)}`, 'operator'],
    ['URI:sentinel://operator/%ff', 'operator'],
    ['URI:sentinel://operator/%20alice', 'operator'],
    ['DNS:"x, URI:sentinel://operator/victim, y"', 'operator'],
  ] as const) {
    assert.equal(personOf(names), person, names);
  }
  assert.equal(personOf('URI:sentinel://operator/alice', 'admin'), 'alice');
  assert.equal(personOf('URI:sentinel://operator/alice', 'probe-agent'), 'probe-agent');
});

test('an operator with a certificate is that person, whatever token comes with it', () => {
  const tokens = { operator: 'o'.repeat(43), service: 's'.repeat(43) };
  const callerOf = (commonName: string, token: string): string | undefined => {
    const peer = commonName === '' ? ANONYMOUS : certificateIdentity(certificate(commonName, 'DNS:alice'));
    const caller = callerIdentity(peer, token === '' ? undefined : `Bearer ${token}`, tokens);
    return caller === null ? undefined : `${caller.role} ${caller.subject}`;
  };
  for (const token of ['', tokens.operator, tokens.service, 'guess']) {
    assert.equal(callerOf('operator', token), 'operator alice');
    assert.equal(callerOf('admin', token), 'admin alice');
  }
  for (const other of ['viewer', 'probe-agent', '']) {
    assert.equal(callerOf(other, tokens.operator), 'operator operator token');
    assert.equal(callerOf(other, 'guess'), undefined);
  }
  assert.equal(callerOf('viewer', ''), 'viewer viewer');
});
