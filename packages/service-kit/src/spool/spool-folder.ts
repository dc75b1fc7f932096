import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SentinelError } from '../errors.js';
import { syncDirectory } from '../files.js';

const SPOOL_ID = /^[0-9a-f]{32}$/;

export interface SpoolFolder {
  readonly dir: string;
  readonly spoolId: Buffer;
}

/**
 * The folder of a spool is named by its id: a spool that was removed never comes back under the old id.
 * @param makeId 16 bytes for a new spool
 * @throws SentinelError FAILED_PRECONDITION where there are several
 */
export function spoolFolder(parent: string, makeId: () => Buffer): SpoolFolder {
  mkdirSync(parent, { recursive: true });
  const names = readdirSync(parent).filter((name) => SPOOL_ID.test(name));
  if (names.length > 1) {
    throw new SentinelError({
      code: 'FAILED_PRECONDITION',
      message: `${parent} holds ${names.length} spools (${names.join(', ')})`,
      hint: 'Leave the one whose reports are still to be sent.',
    });
  }
  const name = names[0] ?? makeId().toString('hex');
  if (names.length === 0) {
    mkdirSync(join(parent, name), { mode: 0o750 });
    syncDirectory(parent);
  }
  return { dir: join(parent, name), spoolId: Buffer.from(name, 'hex') };
}
