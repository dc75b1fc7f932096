import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeSigningKey } from '@sentinel/audit-ledger/keygen';

/** Secrets of one installation, as files that only their owner may read. */
export interface Secrets {
  readonly fleetKey: string;
  readonly operatorToken: string;
  readonly serviceToken: string;
  readonly hmacKeyFile: string;
  readonly hmacKeysFile: string;
  readonly operatorTokenFile: string;
  readonly serviceTokenFile: string;
  readonly ledgerKeyFile: string;
}

/** Name of the log in the tests' ledgers. */
export const ORIGIN = 'sentinel/test';

export function makeSecrets(folder: string): Secrets {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const [fleetKey, operatorToken, serviceToken] = [random(), random(), random()];
  const write = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, `${text}\n`, { mode: 0o600 });
    return file;
  };
  return {
    fleetKey,
    operatorToken,
    serviceToken,
    hmacKeyFile: write('hmac.key', fleetKey),
    hmacKeysFile: write('hmac.keys', `default=${fleetKey}`),
    operatorTokenFile: write('operator.token', operatorToken),
    serviceTokenFile: write('service.token', serviceToken),
    ledgerKeyFile: signingKey(join(folder, 'ledger.key')),
  };
}

function signingKey(file: string): string {
  writeSigningKey(file, ORIGIN);
  return file;
}

function random(): string {
  return randomBytes(32).toString('base64url');
}
