import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ProbeFamily } from '@sentinel/contracts/sentinel/v1/common.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { cohortKey } from './evidence/cohorts.js';

/** What is signed: these bytes, then those of `payload`. */
const DOMAIN = 'sentinel-cohorts-v1\n';
export const MAX_MANIFEST_BYTES = 1024 * 1024;
const MAX_COHORTS = 4096;
/** Characters of what is not understood. */
const MAX_SHOWN = 64;
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const FIELD = 'correlation_engine.cohort_manifest.file';

export interface ManifestSettings {
  readonly file: string;
  /** Raw Ed25519 public keys as base64, by key id. */
  readonly keys: Readonly<Record<string, string>>;
}

/** What an operator signed for. */
export interface Vouched {
  /** Keys of cohorts, sorted. */
  readonly cohorts: string[];
  /** Until when, microseconds since the Unix epoch; null = until it is taken back. */
  readonly untilUs: number | null;
}

/**
 * The cohorts that an operator vouched for; none without a file. The file is JSON, {payload, key_id, signature}; the payload is JSON as
 * text, {expires, cohorts: [{vendor, model, driver_version, vbios_version, cuda_version, probe_version, families}]}, `expires` a date with
 * time and zone, or absent.
 * @throws SentinelError FAILED_PRECONDITION where the file cannot be read, is not signed by a known key, has expired, or says something else
 */
export function vouchedBy({ file, keys }: ManifestSettings, nowUs: number): Vouched {
  if (file === '') return { cohorts: [], untilUs: null };
  try {
    return verified(read(file), keys, nowUs);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const message = `the manifest of cohorts ${file} ${error.message}`;
    const hint = `Nothing in it is believed. ${error.hint}`;
    throw new SentinelError({ code: 'FAILED_PRECONDITION', message, field: FIELD, hint });
  }
}

/** Why a manifest is not believed, as the end of a sentence, and what to do. */
class Refused extends Error {
  readonly hint: string;

  constructor(what: string, hint = 'docs/decisions.md says how it is made and signed.') {
    super(what);
    this.hint = hint;
  }
}

function verified(text: string, keys: ManifestSettings['keys'], nowUs: number): Vouched {
  const { payload, key_id: keyId, signature } = objectOf(parse(text));
  if (typeof payload !== 'string' || typeof keyId !== 'string' || typeof signature !== 'string')
    throw new Refused('has no payload, key_id and signature');
  const key = Object.hasOwn(keys, keyId) ? keys[keyId] : undefined;
  if (key === undefined)
    throw new Refused(
      `is signed by ${JSON.stringify(keyId.slice(0, MAX_SHOWN))}, which is no key of cohort_manifest.keys`,
    );
  if (!verify(null, Buffer.from(DOMAIN + payload), publicKey(key), Buffer.from(signature, 'base64')))
    throw new Refused(`was changed after the key ${keyId} signed it, or signed by another`);
  const { cohorts, expires } = objectOf(parse(payload));
  const untilUs = expires === undefined ? null : timeOf(expires);
  if (untilUs !== null && untilUs <= nowUs)
    throw new Refused(`expired at ${String(expires)}`, 'Sign a new one, or set cohort_manifest.file to "".');
  if (!Array.isArray(cohorts)) throw new Refused('lists no cohorts');
  const vouched = [...new Set(cohorts.flatMap(keysOf))].sort();
  if (vouched.length > MAX_COHORTS) throw new Refused(`lists more than ${MAX_COHORTS} cohorts`);
  return { cohorts: vouched, untilUs };
}

/** RFC 3339, so that no zone is guessed. */
function timeOf(text: unknown): number {
  const ms = typeof text === 'string' && RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(ms)) return ms * 1000;
  throw new Refused(
    `says that it expires at ${JSON.stringify(text).slice(0, MAX_SHOWN)}, which is no time as 2027-01-31T00:00:00Z`,
  );
}

function read(file: string): string {
  try {
    const text = readFileSync(file, 'utf8');
    if (text.length <= MAX_MANIFEST_BYTES) return text;
  } catch (cause) {
    throw new Refused(`cannot be read (${(cause as Error).message})`);
  }
  throw new Refused(`is larger than ${MAX_MANIFEST_BYTES} bytes`);
}

function publicKey(base64: string): KeyObject {
  const x = Buffer.from(base64, 'base64').toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refused('is no JSON');
  }
}

function objectOf(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Refused('is no JSON object');
}

function keysOf(entry: unknown): string[] {
  const cohort = objectOf(entry);
  const text = (name: string): string => {
    const value = cohort[name];
    if (typeof value === 'string') return value;
    throw new Refused(`has a cohort without ${name}`);
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
    throw new Refused('has a cohort without families and a probe_version');
  return families.map((name) => cohortKey(identity, familyNumber(name), version as number));
}

function familyNumber(name: unknown): number {
  const names: Readonly<Record<string, number>> = ProbeFamily;
  const number = typeof name === 'string' ? names[name.toUpperCase()] : undefined;
  if (number === undefined || number <= 0)
    throw new Refused(`names a family that does not exist: ${JSON.stringify(name).slice(0, MAX_SHOWN)}`);
  return number;
}
