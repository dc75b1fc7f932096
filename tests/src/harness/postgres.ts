import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, treeOf } from './proc.js';
import type { Stack } from './stack.js';
import { until } from './until.js';

const STOP_MS = 30_000;

/** Folder of a stack's embedded cluster, which also holds its socket. */
export function clusterFolder(stack: Stack): string {
  return realpathSync(join(stack.folder, 'pg'));
}

/** Process ids of a stack's embedded PostgreSQL, the postmaster first; none when it does not run. */
export function postgresProcesses(stack: Stack): number[] {
  const pid = postmasterPid(stack);
  return pid !== null && isAlive(pid) ? treeOf(pid) : [];
}

/** Ends what a killed engine left running. */
export async function endPostgres(stack: Stack): Promise<void> {
  const [pid] = postgresProcesses(stack);
  if (pid === undefined) return;
  process.kill(pid, 'SIGQUIT');
  await until('PostgreSQL gone', STOP_MS, () => !isAlive(pid));
}

function postmasterPid(stack: Stack): number | null {
  try {
    const [pid] = readFileSync(join(clusterFolder(stack), 'postmaster.pid'), 'utf8').split('\n');
    return Number(pid);
  } catch {
    return null;
  }
}
