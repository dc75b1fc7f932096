import { SentinelError } from '@sentinel/service-kit/errors';
import { writeSigningKey } from '../note/key-file.js';
import type { Command } from './index.js';

/** Never replaces a key: the log it signed could not be continued. */
export const keygen: Command = ({ config }, { stdout }) => {
  const file = config.signing_key_path;
  if (file === '') {
    const hint = 'Set it to the file that shall hold the key.';
    throw new SentinelError({
      code: 'FAILED_PRECONDITION',
      field: 'audit_ledger.signing_key_path',
      message: 'signing_key_path is not set',
      hint,
    });
  }
  stdout.write(`${writeSigningKey(file, config.origin)}\n`);
  return 0;
};
