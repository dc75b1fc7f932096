import { randomUUID } from 'node:crypto';
import { SentinelError } from '@sentinel/service-kit/errors';
import { retiredPath, writeKeyFile, writeSigningKey } from '../note/key-file.js';
import { publicKeyPem } from '../note/keys.js';
import type { Command } from './index.js';
import { operate } from './operate.js';

/**
 * Never replaces a key: the log it signed could not be continued. With --rotate that key hands over to a new one, in the writer that
 * is running or, where none is, as the writer.
 */
export const keygen: Command = async (program, { stdout }) => {
  const { config, flags } = program;
  if (flags.attestation) {
    const path = fileOf(config.attestation_signing_key_path, 'attestation_signing_key_path');
    const verifier = writeKeyFile(path, `sentinel-attestation/${randomUUID()}`);
    stdout.write(`${verifier}\n${publicKeyPem(verifier)}`);
    return 0;
  }
  const file = fileOf(config.signing_key_path, 'signing_key_path');
  if (!flags.rotate) {
    stdout.write(`${writeSigningKey(file, config.origin)}\n`);
    return 0;
  }
  const { verifierKey } = await operate(program, (operations) => operations.rotateKey());
  stdout.write(`${verifierKey}\n`);
  stdout.write(`The old key goes on signing beside it until ${retiredPath(file)} is removed.\n`);
  return 0;
};

function fileOf(path: string, key: string): string {
  if (path !== '') return path;
  throw new SentinelError({
    code: 'FAILED_PRECONDITION',
    field: `audit_ledger.${key}`,
    message: `${key} is not set`,
    hint: 'Set it to the file that shall hold the key.',
  });
}
