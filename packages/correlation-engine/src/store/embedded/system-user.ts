import { execFileSync } from 'node:child_process';
import { SentinelError } from '@sentinel/service-kit/errors';

/** PostgreSQL refuses to run as root: then its processes and files belong to this user. */
export const SYSTEM_USER = 'sentinel-postgres';

export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Who PostgreSQL runs as: null = as this process itself, which is not root.
 * @throws SentinelError FAILED_PRECONDITION when root cannot make the user
 */
export function postgresUser(): SystemUser | null {
  if (process.getuid?.() !== 0) return null;
  return lookUp(SYSTEM_USER) ?? create(SYSTEM_USER);
}

function lookUp(name: string): SystemUser | null {
  try {
    const id = (flag: string): number =>
      Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
    return { name, uid: id('-u'), gid: id('-g') };
  } catch {
    return null;
  }
}

function create(name: string): SystemUser {
  const failed = (why: string, cause: unknown): SentinelError =>
    new SentinelError({
      code: 'FAILED_PRECONDITION',
      message: `PostgreSQL does not run as root and the system user ${name} could not be made (${why})`,
      field: 'correlation_engine.database.postgres_url',
      hint: `Run "useradd --system ${name}", run SENTINEL as another user, or name a PostgreSQL server.`,
      cause,
    });
  try {
    const flags = ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent'];
    execFileSync('useradd', [...flags, '--shell', '/usr/sbin/nologin', name], { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (cause) {
    // Another engine may have made it at the same moment.
    const user = lookUp(name);
    if (user !== null) return user;
    throw failed((cause as Error).message.trim(), cause);
  }
  const user = lookUp(name);
  if (user === null) throw failed('it is not there after useradd', undefined);
  return user;
}
