import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureSigningKey } from '@sentinel/audit-ledger/keygen';
import { ensureSecretFile } from '@sentinel/service-kit/secrets';
import type { DataFolder } from './data-folder.js';
import { replaceFile } from './replace-file.js';

/** Files of one installation's secrets, all of mode 0600. */
export interface SecretFiles {
  readonly hmacKey: string;
  /** The same key under its id, as the engine reads it. */
  readonly hmacKeys: string;
  readonly operatorToken: string;
  readonly serviceToken: string;
  readonly ledgerKey: string;
  /** The log's note verifier key: public, kept here so that the command line verifies against what this installation made. */
  readonly ledgerVerifierKey: string;
}

/** `probe_agent.hmac_key_id` of the default configuration. */
const KEY_ID = 'default';
const OWNER_ONLY = 0o600;

/** Makes what is missing, once; what is there is kept. @throws SentinelError PERMISSION_DENIED, FAILED_PRECONDITION */
export function ensureSecrets(folder: DataFolder): SecretFiles {
  const at = (name: string): string => join(folder.secrets, name);
  const files: SecretFiles = {
    hmacKey: at('hmac.key'),
    hmacKeys: at('hmac.keys'),
    operatorToken: at('operator.token'),
    serviceToken: at('service.token'),
    ledgerKey: at('ledger.key'),
    ledgerVerifierKey: at('ledger.vkey'),
  };
  const fleetKey = ensureSecretFile(files.hmacKey);
  if (!existsSync(files.hmacKeys)) replaceFile(files.hmacKeys, `${KEY_ID}=${fleetKey}\n`, OWNER_ONLY);
  ensureSecretFile(files.operatorToken);
  ensureSecretFile(files.serviceToken);
  const verifierKey = ensureSigningKey(files.ledgerKey);
  if (!existsSync(files.ledgerVerifierKey)) replaceFile(files.ledgerVerifierKey, `${verifierKey}\n`, OWNER_ONLY);
  return files;
}
