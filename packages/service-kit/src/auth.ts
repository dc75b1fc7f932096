import { createHash, timingSafeEqual } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';

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
  /** Common name or kind of token, for audit records. */
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

const NODE_URI = 'sentinel://node/';
/** One name of `subjectaltname`; a value that could be mistaken for several is quoted as JSON. */
const ALTERNATIVE_NAME = /(?:^|, )([^:"]+):("(?:[^"\\]|\\.)*"|[^,]*)/gy;

/** Identity of a verified client certificate: role from its common name, node from its URI SAN. */
export function certificateIdentity(certificate: PeerCertificate): Identity {
  const subject = String(certificate.subject?.CN ?? '').replace(/^sentinel-/, '');
  return {
    role: ROLE_BY_COMMON_NAME.get(subject) ?? 'anonymous',
    node: certifiedNode(certificate.subjectaltname ?? ''),
    via: 'certificate',
    subject,
  };
}

/** The one node that a certificate names; none where it names several, as nobody could say which one speaks. */
function certifiedNode(alternativeNames: string): string | null {
  const uris = [...alternativeNames.matchAll(ALTERNATIVE_NAME)]
    .filter(([, kind, value]) => kind === 'URI' && value?.startsWith(NODE_URI))
    .map(([, , value]) => value?.slice(NODE_URI.length) ?? '');
  const [encoded] = uris;
  if (encoded === undefined || uris.length > 1) return null;
  try {
    return decodeURIComponent(encoded) || null;
  } catch {
    return null;
  }
}

export interface Tokens {
  /** Empty = no such token is accepted. */
  readonly operator: string;
  readonly service: string;
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
