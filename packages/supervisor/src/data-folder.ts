import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { SentinelError } from '@sentinel/service-kit/errors';
import { makeFolder } from './make-folder.js';

/** Less free space than this and a start is refused: PostgreSQL's first initialisation alone takes about 60 MB. */
const MIN_FREE_BYTES = 200 * 1024 * 1024;

/** Everything that a local installation keeps, each in a place of its own. */
export interface DataFolder {
  readonly root: string;
  readonly pg: string;
  readonly history: string;
  readonly ledger: string;
  readonly agent: string;
  readonly secrets: string;
  readonly run: string;
  readonly log: string;
}

/** Free blocks and their size in bytes. */
interface Disk {
  readonly bavail: number;
  readonly bsize: number;
}

/**
 * Creates what is missing below `root`; nothing that exists is touched.
 * @throws SentinelError RESOURCE_EXHAUSTED when the disk is (nearly) full, PERMISSION_DENIED when it may not be written.
 */
export function openDataFolder(root: string, diskOf: (path: string) => Disk = statfsSync): DataFolder {
  const at = (name: string): string => join(root, name);
  const folder: DataFolder = {
    root,
    pg: at('pg'),
    history: at('history'),
    ledger: at('ledger'),
    agent: at('spool'),
    secrets: at('secrets'),
    run: at('run'),
    log: at('log'),
  };
  try {
    for (const dir of [root, folder.history, folder.ledger, folder.agent, folder.run, folder.log]) {
      makeFolder(dir);
    }
    makeFolder(folder.secrets, 0o700);
  } catch (cause) {
    throw unwritable(root, cause);
  }
  const { bavail, bsize } = diskOf(root);
  if (bavail * bsize < MIN_FREE_BYTES) throw diskFull(root, bavail * bsize);
  return folder;
}

function unwritable(root: string, cause: unknown): SentinelError {
  if ((cause as NodeJS.ErrnoException).code === 'ENOSPC') return diskFull(root, 0);
  return new SentinelError({
    code: 'PERMISSION_DENIED',
    message: `the data folder ${root} cannot be written (${(cause as Error).message})`,
    hint: 'Give another folder with --data DIR, or make this one writable.',
    cause,
  });
}

function diskFull(root: string, free: number): SentinelError {
  const mb = (bytes: number): string => `${Math.floor(bytes / 1024 / 1024)} MB`;
  return new SentinelError({
    code: 'RESOURCE_EXHAUSTED',
    reason: 'DISK_FULL',
    message: `the disk of the data folder ${root} is full (${mb(free)} free, ${mb(MIN_FREE_BYTES)} needed)`,
    hint: 'Free some space there, or give a folder on another disk with --data DIR.',
  });
}

/** In `run`: the services that the present supervisor started. */
export const SERVICES_FILE = 'services.json';
