/** The signing key as a file that only its owner may read. */
import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { SentinelError } from '@sentinel/service-kit/errors';
import { generateSigningKeyText, MalformedKeyError, parseSigningKey } from './keys.js';

/**
 * Makes a signing key in `file` (0600, never replaced) unless there is one, and gives its note verifier key.
 * `origin`: name of the log for ever; empty = `sentinel/` and a fresh id.
 * @throws SentinelError FAILED_PRECONDITION where the file holds no signing key, PERMISSION_DENIED where it cannot be written
 */
export function ensureSigningKey(file: string, origin = ''): string {
  const existing = readKey(file);
  if (existing !== null) return verifierKeyOf(existing, file);
  return writeSigningKey(file, origin);
}

/** The same, but a file that is there already is an error (ALREADY_EXISTS). */
export function writeSigningKey(file: string, origin = ''): string {
  const text = generateSigningKeyText(origin === '' ? `sentinel/${randomUUID()}` : origin);
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const fd = openSync(file, 'wx', 0o600);
    try {
      writeSync(fd, `${text}\n`);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    throw cannotWrite(file, cause as NodeJS.ErrnoException);
  }
  return parseSigningKey(text).verifier.text;
}

function readKey(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new SentinelError({
      code: 'PERMISSION_DENIED',
      message: `cannot read the signing key in ${file} (${(cause as Error).message})`,
      cause,
    });
  }
}

function verifierKeyOf(text: string, file: string): string {
  try {
    return parseSigningKey(text).verifier.text;
  } catch (cause) {
    if (!(cause instanceof MalformedKeyError)) throw cause;
    const hint = 'Restore it from a copy: a log cannot be continued under another key.';
    throw new SentinelError({
      code: 'FAILED_PRECONDITION',
      message: `${file}: ${cause.message}`,
      field: 'audit_ledger.signing_key_path',
      hint,
      cause,
    });
  }
}

function cannotWrite(file: string, cause: NodeJS.ErrnoException): SentinelError {
  if (cause.code === 'EEXIST') {
    const hint = 'A log cannot be continued under another key; name another file to make another log.';
    return new SentinelError({ code: 'ALREADY_EXISTS', message: `${file} exists already`, hint, cause });
  }
  return new SentinelError({ code: 'PERMISSION_DENIED', message: `cannot write ${file} (${cause.message})`, cause });
}
