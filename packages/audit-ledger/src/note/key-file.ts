/** The signing key as a file that only its owner may read. */
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { SentinelError } from '@sentinel/service-kit/errors';
import { generateSigningKeyText, MalformedKeyError, parseSigningKey, type SigningKey } from './keys.js';
import { syncFolder } from './sync-folder.js';
import { markUnused } from './unused-mark.js';

/** Anything by group or others. */
const NOT_PRIVATE = 0o077;
/** The same but for reading by the group: that is how a file of another owner, a mounted secret of Kubernetes, reaches this process. */
const LENT = 0o037;

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
  const verifierKey = writeKeyFile(file, origin);
  markUnused(file, verifierKey);
  return verifierKey;
}

/** A key that begins no log. @throws SentinelError ALREADY_EXISTS, PERMISSION_DENIED */
export function writeKeyFile(file: string, origin: string): string {
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

/**
 * Refuses a file that anybody else may read: what was read can sign for the log.
 * @throws SentinelError FAILED_PRECONDITION
 */
export function assertPrivate(file: string, uid = process.getuid?.()): void {
  const { mode, uid: owner } = statSync(file, { throwIfNoEntry: false }) ?? { mode: 0, uid };
  if ((mode & (owner === uid ? NOT_PRIVATE : LENT)) === 0) return;
  throw new SentinelError({
    code: 'FAILED_PRECONDITION',
    field: 'audit_ledger.signing_key_path',
    message: `${file} can be read by others (mode ${(mode & 0o777).toString(8).padStart(4, '0')})`,
    hint: `Do chmod 600 ${file}; if others had access to it, rotate the key (keygen --rotate).`,
  });
}

/** Keys that signed the log before the one in `file`, newest first; they go on signing until the file is removed. */
export function retiredKeys(file: string): SigningKey[] {
  const path = retiredPath(file);
  const text = readKey(path);
  if (text === null) return [];
  assertPrivate(path);
  return text.split('\n').map((line) => parseSigningKey(line.trim()));
}

/** The key that the one in `file` shall hand over to; made if there is none yet. */
export function nextKey(file: string, origin: string): SigningKey {
  const path = `${file}.next`;
  if (readKey(path) === null) writeKeyFile(path, origin);
  return parseSigningKey(readKey(path) ?? '');
}

/** The next key, where one was made and has not taken the place of the one in `file` yet. */
export function pendingKey(file: string): SigningKey | undefined {
  const text = file === '' ? null : readKey(`${file}.next`);
  return text === null ? undefined : parseSigningKey(text);
}

/** Puts the next key in the place of the one in `file`, which joins the retired ones. To be repeated after a crash. */
export function turnKeys(file: string): void {
  const old = readKey(file) ?? '';
  const retired = readKey(retiredPath(file)) ?? '';
  if (!retired.split('\n').includes(old))
    replaceKeyFile(retiredPath(file), `${old}\n${retired === '' ? '' : `${retired}\n`}`);
  renameSync(`${file}.next`, file);
  syncFolder(file);
}

export function retiredPath(file: string): string {
  return `${file}.retired`;
}

function replaceKeyFile(file: string, text: string): void {
  const draft = `${file}.tmp`;
  rmSync(draft, { force: true });
  const fd = openSync(draft, 'wx', 0o600);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(draft, file);
  syncFolder(file);
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
