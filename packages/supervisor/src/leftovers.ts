import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { type DataFolder, SERVICES_FILE } from './data-folder.js';
import { end, identify, isAlive, type ProcessIdentity } from './process-identity.js';
import { replaceFile } from './replace-file.js';

/** Time that a service, and then PostgreSQL, has to end in order. */
const SERVICE_DEADLINE_MS = 10_000;
const POSTGRES_DEADLINE_MS = 8_000;

/** Notes which services run, so that the next supervisor finds them should this one be killed. */
export function recordServices(folder: DataFolder, pids: readonly number[]): void {
  const known = pids.map(identify).filter((identity) => identity !== null);
  replaceFile(join(folder.run, SERVICES_FILE), `${JSON.stringify(known)}\n`);
}

/** Ends the services of a supervisor that was killed. Returns how many there were. */
export async function endLeftovers(folder: DataFolder): Promise<number> {
  const living = readRecord(join(folder.run, SERVICES_FILE)).filter(isAlive);
  await Promise.all(living.map((service) => end(service, 'SIGTERM', 'SIGKILL', SERVICE_DEADLINE_MS)));
  return living.length;
}

function readRecord(file: string): ProcessIdentity[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity[];
  } catch {
    return [];
  }
}

/** Ends the PostgreSQL server of the data folder, which outlives an engine that was killed. True = there was one. */
export async function endPostgres(folder: DataFolder): Promise<boolean> {
  const postmaster = findPostmaster(folder.pg);
  if (postmaster === null) return false;
  await end(postmaster, 'SIGINT', 'SIGQUIT', POSTGRES_DEADLINE_MS);
  return true;
}

/** postmaster.pid may be stale: the process must also name the folder on its command line. */
function findPostmaster(pgFolder: string): ProcessIdentity | null {
  try {
    const cluster = realpathSync(pgFolder);
    const pid = Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0]);
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return commandLine.includes(cluster) ? identify(pid) : null;
  } catch {
    return null;
  }
}
