import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { SentinelError } from './errors.js';

const TOKEN_BYTES = 32;

/**
 * The secret in `file`; made at random, readable by its owner alone, when the file does not exist yet.
 * Of several processes that make it at once all get the same one, and a crash leaves no half of it.
 */
export function ensureSecretFile(file: string): string {
  const existing = readSecretFile(file);
  if (existing !== null) return existing;
  const secret = randomBytes(TOKEN_BYTES).toString('base64url');
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  writeDurably(draft, `${secret}\n`);
  try {
    linkSync(draft, file);
    syncDirectory(dirname(file));
    return secret;
  } catch (cause) {
    const winner = (cause as NodeJS.ErrnoException).code === 'EEXIST' ? readSecretFile(file) : null;
    if (winner !== null) return winner;
    throw cause;
  } finally {
    unlinkSync(draft);
  }
}

function writeDurably(file: string, content: string): void {
  const fd = openSync(file, 'wx', 0o600);
  try {
    writeSync(fd, content);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function syncDirectory(dir: string): void {
  const fd = openSync(dir, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
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
