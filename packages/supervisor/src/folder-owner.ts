import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DirectoryLock, lockDirectory } from '@sentinel/service-kit/directory-lock';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { DataFolder } from './data-folder.js';
import { identify } from './process-identity.js';
import { replaceFile } from './replace-file.js';

/** In `run`: the supervisor that has the folder. The lock decides; the file only tells a second one whom it met. */
const OWNER_FILE = 'supervisor.pid';

/**
 * Takes a data folder for this supervisor alone, until released or until the process ends.
 * @throws SentinelError FAILED_PRECONDITION naming the process that has it
 */
export async function takeFolder(folder: DataFolder): Promise<DirectoryLock> {
  const file = join(folder.run, OWNER_FILE);
  try {
    const lock = await lockDirectory(folder.run);
    replaceFile(file, `${process.pid}\n`);
    return lock;
  } catch (cause) {
    if (SentinelError.from(cause).code !== 'FAILED_PRECONDITION') throw cause;
    throw taken(folder, ownerIn(file), cause);
  }
}

function ownerIn(file: string): number | null {
  try {
    return identify(Number(readFileSync(file, 'utf8')))?.pid ?? null;
  } catch {
    return null;
  }
}

function taken(folder: DataFolder, pid: number | null, cause: unknown): SentinelError {
  return new SentinelError({
    code: 'FAILED_PRECONDITION',
    reason: 'CONFLICT',
    message: `SENTINEL runs already${pid === null ? '' : ` (process ${pid})`} with the data folder ${folder.root}`,
    hint: `Stop it with Ctrl-C where it was started${pid === null ? '' : ` or with kill ${pid}`}, or give this one a folder of its own with --data DIR.`,
    cause,
  });
}
