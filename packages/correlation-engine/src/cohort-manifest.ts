import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ProbeFamily } from '@sentinel/contracts/sentinel/v1/common.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { cohortKey } from './evidence/cohorts.js';

/** What is signed: these bytes, then those of `payload`. */
const DOMAIN = 'sentinel-cohorts-v1\n';
export const MAX_MANIFEST_BYTES = 1024 * 1024;
const MAX_COHORTS = 4096;
const FIELD = 'correlation_engine.cohort_manifest.file';

export interface ManifestSettings {
  readonly file: string;
  /** Raw Ed25519 public keys as base64, by key id. */
  readonly keys: Readonly<Record<string, string>>;
}

/**
 * Keys of the cohorts that an operator vouched for, sorted; none without a file. The file is JSON, {payload, key_id, signature};
 * the payload is JSON as text, {cohorts: [{vendor, model, driver_version, vbios_version, cuda_version, probe_version, families}]}.
 * @throws SentinelError FAILED_PRECONDITION where the file cannot be read, is not signed by a known key, or says something else
 */
export function vouchedCohorts({ file, keys }: ManifestSettings): string[] {
  if (file === '') return [];
  const { payload, key_id: keyId, signature } = objectOf(parse(read(file)));
  if (typeof payload !== 'string' || typeof keyId !== 'string' || typeof signature !== 'string')
    throw refused('has no payload, key_id and signature');
  const key = Object.hasOwn(keys, keyId) ? keys[keyId] : undefined;
  if (key === undefined)
    throw refused(`is signed by ${JSON.stringify(keyId.slice(0, 64))}, which is no key of cohort_manifest.keys`);
  if (!verify(null, Buffer.from(DOMAIN + payload), publicKey(key), Buffer.from(signature, 'base64')))
    throw refused(`is not what the key ${keyId} signed`);
  const { cohorts } = objectOf(parse(payload));
  if (!Array.isArray(cohorts)) throw refused('lists no cohorts');
  const vouched = [...new Set(cohorts.flatMap(keysOf))].sort();
  if (vouched.length > MAX_COHORTS) throw refused(`lists more than ${MAX_COHORTS} cohorts`);
  return vouched;
}

function read(file: string): string {
  try {
    const text = readFileSync(file, 'utf8');
    if (text.length <= MAX_MANIFEST_BYTES) return text;
  } catch (cause) {
    throw refused(`cannot be read (${(cause as Error).message})`);
  }
  throw refused(`is larger than ${MAX_MANIFEST_BYTES} bytes`);
}

function publicKey(base64: string): KeyObject {
  const x = Buffer.from(base64, 'base64').toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refused('is no JSON');
  }
}

function objectOf(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw refused('is no JSON object');
}

function keysOf(entry: unknown): string[] {
  const cohort = objectOf(entry);
  const text = (name: string): string => {
    const value = cohort[name];
    if (typeof value === 'string') return value;
    throw refused(`has a cohort without ${name}`);
  };
  const identity = {
    vendor: text('vendor'),
    model: text('model'),
    driverVersion: text('driver_version'),
    vbiosVersion: text('vbios_version'),
    cudaVersion: text('cuda_version'),
  };
  const { families, probe_version: version } = cohort;
  if (!Array.isArray(families) || !Number.isSafeInteger(version))
    throw refused('has a cohort without families and a probe_version');
  return families.map((name) => cohortKey(identity, familyNumber(name), version as number));
}

function familyNumber(name: unknown): number {
  const names: Readonly<Record<string, number>> = ProbeFamily;
  const number = typeof name === 'string' ? names[name.toUpperCase()] : undefined;
  if (number === undefined || number <= 0) throw refused(`names a family that does not exist: ${JSON.stringify(name)}`);
  return number;
}

function refused(what: string): SentinelError {
  return new SentinelError({
    code: 'FAILED_PRECONDITION',
    message: `the manifest of cohorts ${what}`,
    field: FIELD,
    hint: 'Nothing in it is believed. docs/decisions.md says how it is made and signed.',
  });
}
