/**
 * A file beside a signing key that says: this key has signed nothing yet. The log that the key begins takes it away, so that
 * a key without one, restored from a copy or made for another machine, begins no second log.
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { SentinelError } from '@sentinel/service-kit/errors';
import { syncFolder } from './sync-folder.js';

/** @param verifierKey of the key in `keyFile`: the mark counts for no other */
export function markUnused(keyFile: string, verifierKey: string): void {
  const fd = openSync(markPath(keyFile), 'w', 0o600);
  try {
    writeSync(fd, `${verifierKey}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  syncFolder(keyFile);
}

export function isMarkedUnused(keyFile: string, verifierKey: string): boolean {
  const path = markPath(keyFile);
  return existsSync(path) && readFileSync(path, 'utf8').trim() === verifierKey;
}

/**
 * Durable when it returns, and done by one process alone, but for one to which it `mayBeGone`.
 * @throws SentinelError FAILED_PRECONDITION where it cannot be removed
 */
export function removeMark(keyFile: string, mayBeGone: boolean): void {
  const path = markPath(keyFile);
  try {
    rmSync(path, { force: mayBeGone });
    syncFolder(keyFile);
  } catch (cause) {
    throw new SentinelError({
      code: 'FAILED_PRECONDITION',
      field: 'audit_ledger.signing_key_path',
      message: `cannot remove ${path}, which says that this key never signed (${(cause as Error).message})`,
      hint:
        (cause as NodeJS.ErrnoException).code === 'ENOENT'
          ? 'Another process began a log by this key meanwhile: start again to go on with it, where it is the same one.'
          : 'Let the ledger write in that folder when it begins its log, or start once with --new-log.',
      cause,
    });
  }
}

function markPath(keyFile: string): string {
  return `${keyFile}.unused`;
}
