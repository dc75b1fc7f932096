import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { SentinelError } from './errors.js';

const TOKEN_BYTES = 32;

/** The secret in `file`; made at random, readable by its owner alone, when the file does not exist yet. */
export function ensureSecretFile(file: string): string {
  const existing = readSecretFile(file);
  if (existing !== null) return existing;
  const secret = randomBytes(TOKEN_BYTES).toString('base64url');
  const fd = openSync(file, 'wx', 0o600);
  try {
    writeSync(fd, `${secret}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  return secret;
}

/**
 * The secret in `file` without surrounding white space, or null when there is no such file.
 * @throws SentinelError PERMISSION_DENIED when it may not be read
 */
export function readSecretFile(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new SentinelError({
      code: 'PERMISSION_DENIED',
      message: `cannot read the secret in ${file} (${(cause as Error).message})`,
      hint: 'Run as the user that owns it.',
      cause,
    });
  }
}
