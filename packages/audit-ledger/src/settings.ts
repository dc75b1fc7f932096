/** From checked configuration to what the parts take. */
import type { AuditLedgerConfig } from '@sentinel/service-kit/config';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { TlsFiles } from '@sentinel/service-kit/tls';
import { VERSION } from '@sentinel/service-kit/version';
import type { ExportMaker } from './attest/export-statement.js';
import { assertPrivate, retiredKeys } from './note/key-file.js';
import {
  MalformedKeyError,
  parseSigningKey,
  parseVerifierKey,
  type SigningKey,
  type VerifierKey,
} from './note/keys.js';
import { dataFolder } from './storage/data-folder.js';

const KEY = 'audit_ledger.signing_key';
const ATTESTATION_KEY = 'audit_ledger.attestation_signing_key';
const VERIFIER_KEY = 'audit_ledger.verifier_key';

/** @throws SentinelError FAILED_PRECONDITION naming what to do */
export function signingKeyOf({
  signing_key: text,
  origin,
}: Pick<AuditLedgerConfig, 'signing_key' | 'origin'>): SigningKey {
  if (text === '')
    throw wrong(
      'no signing key is configured',
      'Make one with `sentinel-audit-ledger keygen` and set audit_ledger.signing_key_path.',
    );
  const key = parse(text.trim());
  if (origin !== '' && origin !== key.verifier.name) {
    throw wrong(
      `signing_key is of log ${key.verifier.name}, but audit_ledger.origin is ${origin}`,
      'A log and its key carry one name.',
    );
  }
  return key;
}

/** The key of a writer, with those before it that go on signing. */
export function writerKeyOf(
  config: Pick<AuditLedgerConfig, 'signing_key' | 'signing_key_path' | 'origin'>,
): SigningKey {
  const key = signingKeyOf(config);
  const { signing_key_path: file } = config;
  if (file === '') return key;
  assertPrivate(file);
  const cosigners = retiredKeys(file).filter(({ verifier }) => verifier.name === key.verifier.name);
  return cosigners.length === 0 ? key : { ...key, cosigners };
}

/**
 * The key that signs what verifications showed. Whoever has the log's key could forge the log; that it verified somebody else says.
 * @throws SentinelError FAILED_PRECONDITION naming what to do
 */
export function attestationKeyOf(
  config: Pick<
    AuditLedgerConfig,
    'attestation_signing_key' | 'attestation_signing_key_path' | 'signing_key' | 'signing_key_path'
  >,
): SigningKey {
  const { attestation_signing_key: text, attestation_signing_key_path: file, signing_key: logKey } = config;
  if (text === '')
    throw wrong(
      'no attestation key is configured',
      'Make one with `sentinel-audit-ledger keygen --attestation` and set audit_ledger.attestation_signing_key_path.',
      ATTESTATION_KEY,
    );
  if (text.trim() === logKey.trim())
    throw wrong('attestation_signing_key is the key of the log', 'Make one of its own.', ATTESTATION_KEY);
  if (file !== '') assertPrivate(file);
  return parse(text.trim());
}

/** Who signs for a copy of the log; nobody where no attestation key is configured. */
export function exportMakerOf(config: Parameters<typeof attestationKeyOf>[0]): ExportMaker | undefined {
  if (config.attestation_signing_key === '') return undefined;
  return { key: attestationKeyOf(config), nowMs: Date.now(), version: VERSION };
}

export function attestationVerifierOf(config: Parameters<typeof attestationKeyOf>[0]): VerifierKey {
  return attestationKeyOf(config).verifier;
}

/**
 * The key to verify by: the pinned one, or that of the signing key. Never what a log says of itself, because whoever can replace
 * the log can replace that too.
 * @throws SentinelError FAILED_PRECONDITION naming what to do
 */
export function verifierKeyOf(config: Pick<AuditLedgerConfig, 'verifier_key' | 'signing_key' | 'origin'>): VerifierKey {
  const { verifier_key: text, signing_key: signingKey } = config;
  if (text === '' && signingKey === '')
    throw wrong(
      'no key to verify the log by is configured',
      'Set audit_ledger.verifier_key to what `sentinel-audit-ledger keygen` printed for the writer, or `sentinel audit key` prints.',
      VERIFIER_KEY,
    );
  const own = signingKey === '' ? undefined : signingKeyOf(config).verifier;
  const pinned = text === '' ? undefined : parsePinned(text.trim());
  // Another key of the same log may be one that handed it over to the signing key: the log shows it.
  if (own !== undefined && pinned !== undefined && own.name !== pinned.name)
    throw wrong('verifier_key is not of the log of signing_key', 'Leave one of the two out.', VERIFIER_KEY);
  return (pinned ?? own) as VerifierKey;
}

function parsePinned(text: string): VerifierKey {
  try {
    return parseVerifierKey(text);
  } catch (cause) {
    if (!(cause instanceof MalformedKeyError)) throw cause;
    throw wrong(cause.message, 'Copy the whole line that `sentinel-audit-ledger keygen` printed.', VERIFIER_KEY);
  }
}

/** Where a reader keeps what it remembers: beside the log, so that restoring the log does not restore it. */
export function readerFolderOf({ reader, data_dir: dataDir }: Pick<AuditLedgerConfig, 'reader' | 'data_dir'>): string {
  return reader.state_dir === '' ? `${dataFolder(dataDir)}.reader` : reader.state_dir;
}

function parse(text: string): SigningKey {
  try {
    return parseSigningKey(text);
  } catch (cause) {
    if (!(cause instanceof MalformedKeyError)) throw cause;
    throw wrong(cause.message, 'Make one with `sentinel-audit-ledger keygen`.');
  }
}

function wrong(message: string, hint: string, field = KEY): SentinelError {
  return new SentinelError({ code: 'FAILED_PRECONDITION', field, message, hint });
}

export function tlsFilesOf({ tls }: Pick<AuditLedgerConfig, 'tls'>): TlsFiles {
  return { certFile: tls.cert_file, keyFile: tls.key_file, caFile: tls.ca_file };
}
