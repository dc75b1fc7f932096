/** Ed25519 keys of C2SP signed notes: verifier keys (`vkey`) and the signing-key text that Go's sumdb/note reads. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { decodeBase64 } from './base64.js';

const ED25519 = 0x01;
const KEY_BYTES = 32;
const KEY_ID_BYTES = 4;
/** DER that stands before a raw Ed25519 seed (PKCS #8) and a raw public key (SPKI), RFC 8410. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const SIGNING_KEY_PREFIX = 'PRIVATE+KEY+';

export class MalformedKeyError extends Error {
  override readonly name = 'MalformedKeyError';
}

export interface VerifierKey {
  readonly name: string;
  /** 4 bytes, chosen by name, algorithm and key. */
  readonly id: Uint8Array;
  /** `name+id+key`, as people pass it around. */
  readonly text: string;
  verify(message: Uint8Array, signature: Uint8Array): boolean;
}

export interface SigningKey {
  readonly verifier: VerifierKey;
  sign(message: Uint8Array): Buffer;
  /** Sign the same notes too: keys of the same log that somebody may still have pinned. */
  readonly cosigners?: readonly SigningKey[];
}

/** First 4 bytes of SHA-256(name | LF | algorithm | key). */
export function keyId(name: string, algorithm: number, publicKey: Uint8Array): Buffer {
  const input = Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([algorithm]), publicKey]);
  return hash('sha256', input, 'buffer').subarray(0, KEY_ID_BYTES);
}

export function parseVerifierKey(text: string): VerifierKey {
  const { name, id, algorithm, key } = splitKey(text, 'verifier key');
  if (!keyId(name, algorithm, key).equals(id))
    throw new MalformedKeyError('verifier key: the key id does not belong to this key');
  if (algorithm !== ED25519) throw new MalformedKeyError(`verifier key: algorithm ${algorithm} is not Ed25519 (1)`);
  return verifierKey(name, key);
}

/** Text `PRIVATE+KEY+name+id+base64(0x01 | seed)`. Its errors never quote the text. */
export function parseSigningKey(text: string): SigningKey {
  if (!text.startsWith(SIGNING_KEY_PREFIX))
    throw new MalformedKeyError('signing key: does not start with PRIVATE+KEY+');
  const { name, id, algorithm, key: seed } = splitKey(text.slice(SIGNING_KEY_PREFIX.length), 'signing key');
  if (algorithm !== ED25519) throw new MalformedKeyError(`signing key: algorithm ${algorithm} is not Ed25519 (1)`);
  const signingKey = signingKeyFromSeed(name, seed);
  if (Buffer.compare(signingKey.verifier.id, id) !== 0) {
    throw new MalformedKeyError('signing key: the key id does not belong to this key');
  }
  return signingKey;
}

export function signingKeyFromSeed(name: string, seed: Uint8Array): SigningKey {
  const secret = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  const verifier = verifierKey(name, rawPublicKey(createPublicKey(secret)));
  return { verifier, sign: (message) => sign(null, message, secret) };
}

/** A fresh signing key as the text that belongs in a 0600 file. */
export function generateSigningKeyText(name: string): string {
  assertKeyName(name);
  const seed = generateKeyPairSync('ed25519')
    .privateKey.export({ format: 'der', type: 'pkcs8' })
    .subarray(PKCS8_PREFIX.length);
  const id = Buffer.from(signingKeyFromSeed(name, seed).verifier.id).toString('hex');
  return `${SIGNING_KEY_PREFIX}${name}+${id}+${Buffer.concat([Buffer.from([ED25519]), seed]).toString('base64')}`;
}

/** Key names, and so origins, hold no whitespace and no plus sign (signed-note). */
export function isKeyName(name: string): boolean {
  return name !== '' && !/[\s+]/u.test(name);
}

/** The same key as the PEM that other tools take. */
export function publicKeyPem(verifier: string): string {
  const { key } = splitKey(verifier, 'verifier key');
  const spki = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, key]), format: 'der', type: 'spki' });
  return String(spki.export({ format: 'pem', type: 'spki' }));
}

function verifierKey(name: string, publicKey: Buffer): VerifierKey {
  assertKeyName(name);
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' });
  const id = keyId(name, ED25519, publicKey);
  const encoded = Buffer.concat([Buffer.from([ED25519]), publicKey]).toString('base64');
  return {
    name,
    id,
    text: `${name}+${id.toString('hex')}+${encoded}`,
    verify: (message, signature) => verify(null, message, key, signature),
  };
}

function splitKey(text: string, what: string): { name: string; id: Buffer; algorithm: number; key: Buffer } {
  const match = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/u.exec(text);
  const bytes = decodeBase64(match?.[3] ?? '');
  const algorithm = bytes?.[0];
  if (match === null || bytes === null || algorithm === undefined || bytes.length !== 1 + KEY_BYTES) {
    throw new MalformedKeyError(`${what}: expected name+id+base64, 8 hex digits and 33 bytes`);
  }
  return { name: match[1] ?? '', id: Buffer.from(match[2] ?? '', 'hex'), algorithm, key: bytes.subarray(1) };
}

function assertKeyName(name: string): void {
  if (!isKeyName(name)) throw new MalformedKeyError(`key name '${name}' is empty or holds whitespace or '+'`);
}

function rawPublicKey(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length);
}
