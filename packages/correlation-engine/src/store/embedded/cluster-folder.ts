import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmdirSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Logger } from '@sentinel/service-kit/logging';
import { makeReachable, REACHABLE_ROOT } from './binaries.js';
import type { SystemUser } from './system-user.js';

/** Room for a socket's path (unix(7)), less the name that PostgreSQL appends. */
const MAX_SOCKET_DIR_BYTES = 107 - '/.s.PGSQL.5432.lock'.length;

/**
 * The folder that holds the cluster, ready for `user`. Where the user cannot enter `dir`, the data lies under
 * /var/lib/sentinel/<hash> and `dir` is a link to it.
 */
export function clusterFolder(dir: string, user: SystemUser | null, log: Logger): string {
  const wanted = resolve(dir);
  mkdirSync(dirname(wanted), { recursive: true });
  if (user !== null && !isLink(wanted) && !canEnter(dirname(wanted), user)) linkAway(wanted, log);
  mkdirSync(wanted, { recursive: true, mode: 0o700 });
  const folder = realpathSync(wanted);
  if (user !== null) chownSync(folder, user.uid, user.gid);
  chmodSync(folder, 0o700);
  return folder;
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

function canEnter(folder: string, user: SystemUser): boolean {
  return spawnSync('test', ['-x', folder], { uid: user.uid, gid: user.gid, cwd: '/', stdio: 'ignore' }).status === 0;
}

function linkAway(dir: string, log: Logger): void {
  const hash = createHash('sha256')
    .update(join(realpathSync(dirname(dir)), basename(dir)))
    .digest('hex')
    .slice(0, 16);
  const target = join(REACHABLE_ROOT, hash, 'pg');
  makeReachable(dirname(target));
  if (existsSync(dir)) moveAway(dir, target);
  mkdirSync(target, { recursive: true, mode: 0o700 });
  symlinkSync(target, dir);
  log.info({ dir, target }, "PostgreSQL's data lies where its user can reach it; a link leads there");
}

/** A folder that was used by another user before root came: its data is kept. */
function moveAway(dir: string, target: string): void {
  if (readdirSync(dir).length === 0) return rmdirSync(dir);
  if (existsSync(target)) {
    throw new SentinelError({
      code: 'FAILED_PRECONDITION',
      message: `both ${dir} and ${target} hold data`,
      field: 'correlation_engine.database.postgres_url',
      hint: 'Remove the one that is not wanted.',
    });
  }
  renameSync(dir, target);
}

/** Where the server's socket lies: in the cluster's own folder, which only its user and root can enter, unless the path is too long. */
export function socketFolder(folder: string, user: SystemUser | null): string {
  if (Buffer.byteLength(folder) <= MAX_SOCKET_DIR_BYTES) return folder;
  const short = join(tmpdir(), `sentinel-pg-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`);
  mkdirSync(short, { recursive: true, mode: 0o700 });
  const { uid } = lstatSync(short);
  const owner = user?.uid ?? process.getuid?.() ?? uid;
  if (uid !== owner && uid !== process.getuid?.()) {
    throw new SentinelError({
      code: 'PERMISSION_DENIED',
      message: `${short} belongs to another user`,
      hint: 'Remove it, or use a shorter data folder.',
    });
  }
  if (user !== null) chownSync(short, user.uid, user.gid);
  return short;
}
