/**
 * Who made an export, and when: an in-toto statement about its manifest, and so about every file of it, in a DSSE envelope by the
 * attestation key. The log's key says what is in the log; this one, who put it together.
 */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../detail/canonical.js';
import type { SigningKey, VerifierKey } from '../note/keys.js';
import { EnvelopeError, openEnvelope, sealEnvelope } from './envelope.js';
import { IN_TOTO, STATEMENT_TYPE } from './statement.js';

const PREDICATE_TYPE = 'urn:sentinel:audit-log-export:v1';

export interface ExportMaker {
  readonly key: SigningKey;
  readonly nowMs: number;
  readonly version: string;
}

/** Bytes of `attestation.json`. */
export function attestManifest(manifest: Uint8Array, { key, nowMs, version }: ExportMaker): Buffer {
  const payload = canonicalJson({
    _type: IN_TOTO,
    subject: [{ name: 'manifest.json', digest: { sha256: digestOf(manifest) } }],
    predicateType: PREDICATE_TYPE,
    predicate: { made_at: new Date(nowMs).toISOString(), maker: { name: 'sentinel-audit-ledger', version } },
  });
  return Buffer.from(`${JSON.stringify(sealEnvelope(STATEMENT_TYPE, Buffer.from(payload), key))}\n`);
}

/** When the export was made, by the clock of whoever signed. @throws EnvelopeError where `key` signed nothing of this manifest */
export function openManifestAttestation(text: string, manifest: Uint8Array, key: VerifierKey): string {
  const { predicateType, subject, predicate } = JSON.parse(
    openEnvelope(text, STATEMENT_TYPE, key).toString('utf8'),
  ) as Partial<{
    predicateType: string;
    subject: { digest?: { sha256?: string } }[];
    predicate: { made_at?: string };
  }>;
  if (predicateType !== PREDICATE_TYPE || subject?.[0]?.digest?.sha256 !== digestOf(manifest))
    throw new EnvelopeError('it is signed, but speaks of something else');
  return predicate?.made_at ?? '';
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
