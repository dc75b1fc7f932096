import { createHash, timingSafeEqual } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import { certifiedNode, certifiedPerson } from './certificate-names.js';

/** What a caller may be. `anonymous` has shown neither certificate nor token. */
export type Role =
  | 'anonymous'
  | 'agent'
  | 'monitor'
  | 'engine'
  | 'ledger'
  | 'viewer'
  | 'operator'
  | 'admin'
  | 'auditor'
  | 'health'
  /** Any SENTINEL component of this installation, proved by the service token of a plaintext loopback installation. */
  | 'service';

export interface Identity {
  readonly role: Role;
  /** Node that the certificate's URI SAN `sentinel://node/NAME` proves; null where none does. */
  readonly node: string | null;
  readonly via: 'certificate' | 'token' | 'none';
  /** Person, common name or kind of token, for audit records. */
  readonly subject: string;
}

export const ANONYMOUS: Identity = { role: 'anonymous', node: null, via: 'none', subject: '' };

/** Common names of the certificates that the deployment guide creates. */
const ROLE_BY_COMMON_NAME: ReadonlyMap<string, Role> = new Map([
  ['probe-agent', 'agent'],
  ['correlation-engine', 'engine'],
  ['audit-ledger', 'ledger'],
  ['audit-ledger-reader', 'ledger'],
  ['inference-monitor', 'monitor'],
  ['training-monitor', 'monitor'],
  ['viewer', 'viewer'],
  ['operator', 'operator'],
  ['admin', 'admin'],
  ['auditor', 'auditor'],
  ['health', 'health'],
]);

/** Who acts in their own name: what they do is recorded under it, and another of them has to approve it. */
const PERSONS: readonly Role[] = ['operator', 'admin'];

/**
 * Identity of a verified client certificate: role from its common name, node from its URI SAN; an operator's subject is the person
 * that its alternative names name, or else the common name, which all operators share.
 */
export function certificateIdentity(certificate: PeerCertificate): Identity {
  const fullName = String(certificate.subject?.CN ?? '');
  const commonName = fullName.replace(/^sentinel-/, '');
  const alternativeNames = certificate.subjectaltname ?? '';
  const role = ROLE_BY_COMMON_NAME.get(commonName) ?? 'anonymous';
  const person = PERSONS.includes(role)
    ? certifiedPerson(alternativeNames, ['localhost', commonName, fullName.toLowerCase()])
    : null;
  return { role, node: certifiedNode(alternativeNames), via: 'certificate', subject: person ?? commonName };
}

export interface Tokens {
  /** Empty = no such token is accepted. */
  readonly operator: string;
  readonly service: string;
}

/**
 * Who calls, by what its certificate proves and by its token: an operator with a certificate is that person, whatever token comes
 * with it, so that nobody has two names; for everybody else a token decides.
 * @param peer ANONYMOUS without a certificate
 * @returns null when the token is not one of this installation
 */
export function callerIdentity(peer: Identity, authorization: string | undefined, tokens: Tokens): Identity | null {
  if (authorization === undefined || (peer.via === 'certificate' && PERSONS.includes(peer.role))) return peer;
  return tokenIdentity(authorization, tokens);
}

/** Identity of an `authorization: Bearer …` value, or null when it carries no token of this installation. */
export function tokenIdentity(authorization: string, tokens: Tokens): Identity | null {
  const presented = /^Bearer (.+)$/i.exec(authorization)?.[1];
  if (presented === undefined) return null;
  if (tokenEquals(tokens.operator, presented))
    return { role: 'operator', node: null, via: 'token', subject: 'operator token' };
  if (tokenEquals(tokens.service, presented))
    return { role: 'service', node: null, via: 'token', subject: 'service token' };
  return null;
}

/** Compares digests, so that neither content nor length of the expected token leaks through time. */
function tokenEquals(expected: string, presented: string): boolean {
  if (expected === '') return false;
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(expected), digest(presented));
}
