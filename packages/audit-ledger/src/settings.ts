/** From checked configuration to what the parts take. */
import type { AuditLedgerConfig } from '@sentinel/service-kit/config';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { TlsFiles } from '@sentinel/service-kit/tls';
import { MalformedKeyError, parseSigningKey, type SigningKey } from './note/keys.js';

const KEY = 'audit_ledger.signing_key';

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

function parse(text: string): SigningKey {
  try {
    return parseSigningKey(text);
  } catch (cause) {
    if (!(cause instanceof MalformedKeyError)) throw cause;
    throw wrong(cause.message, 'Make one with `sentinel-audit-ledger keygen`.');
  }
}

function wrong(message: string, hint: string): SentinelError {
  return new SentinelError({ code: 'FAILED_PRECONDITION', field: KEY, message, hint });
}

export function tlsFilesOf({ tls }: Pick<AuditLedgerConfig, 'tls'>): TlsFiles {
  return { certFile: tls.cert_file, keyFile: tls.key_file, caFile: tls.ca_file };
}
