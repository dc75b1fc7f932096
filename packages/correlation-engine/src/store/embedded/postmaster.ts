import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Logger } from '@sentinel/service-kit/logging';
import pg from 'pg';
import { type Binaries, findBinaries } from './binaries.js';
import { clusterFolder, socketFolder } from './cluster-folder.js';
import { postgresUser, type SystemUser } from './system-user.js';

export const DATABASE = 'sentinel';
export const ROLE = 'sentinel';
/** Part of the socket's name; no TCP port is opened. */
const PORT = 5432;
const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 6_000;
const POLL_MS = 20;
/** The server's own log is begun anew at a start when it has grown beyond this. */
const MAX_LOG_BYTES = 8 * 1024 * 1024;
const MAX_CONNECTIONS = 100;

/** A commit is durable when it returns; everything else is made small: one engine is the only client. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  max_connections: String(MAX_CONNECTIONS),
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '32MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '256MB',
  jit: 'off',
  log_checkpoints: 'off',
  log_min_messages: 'warning',
};

/** How to reach the server. */
export interface EmbeddedConnection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

/**
 * A PostgreSQL server of our own in one folder. It is not a child that dies with this process: after a kill -9 the next engine
 * finds it by its postmaster.pid and goes on with it. Only processes of this user (or root) can connect: the socket lies in a
 * folder of mode 0700, and the server checks who is at its other end (peer authentication).
 */
export class EmbeddedPostgres {
  readonly connection: EmbeddedConnection;
  readonly #folder: string;
  readonly #user: SystemUser | null;
  readonly #log: Logger;
  /** Started or adopted by this engine. */
  #known: number | undefined;

  constructor(dir: string, log: Logger) {
    this.#log = log;
    this.#user = postgresUser();
    this.#folder = clusterFolder(dir, this.#user, log);
    this.connection = { host: socketFolder(this.#folder, this.#user), port: PORT, user: ROLE, database: DATABASE };
  }

  /**
   * Makes sure that the server runs: adopts a live one, or starts it, making the cluster the first time.
   * @returns whether this call started it
   * @throws SentinelError FAILED_PRECONDITION or UNAVAILABLE with the server's own last words
   */
  async ensureRunning(): Promise<boolean> {
    const pid = this.#livePid();
    const starts = pid === null || !(await this.#answers(pid));
    if (starts) {
      const binaries = findBinaries(this.#user, this.#log);
      if (!existsSync(join(this.#folder, 'PG_VERSION'))) this.#initialise(binaries);
      await this.#start(binaries);
    }
    await this.#ensureDatabase();
    return starts;
  }

  /** Ends the server, whoever started it, with its data safe on disk. */
  async stop(): Promise<void> {
    const pid = this.#livePid();
    if (pid === null) return;
    signal(pid, 'SIGINT');
    if (await this.#gone(pid, STOP_DEADLINE_MS)) return;
    this.#log.warn({ pid }, 'PostgreSQL did not stop in time and is cut; it recovers at its next start');
    signal(pid, 'SIGQUIT');
    await this.#gone(pid, STOP_DEADLINE_MS);
  }

  /** The postmaster of this folder, or null. A pid that another program has by now is none. */
  #livePid(): number | null {
    try {
      const pid = Number(readFileSync(join(this.#folder, 'postmaster.pid'), 'utf8').split('\n')[0]);
      if (!Number.isSafeInteger(pid) || pid <= 0) return null;
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(this.#folder) ? pid : null;
    } catch {
      return null;
    }
  }

  /** Waits while a server that lives starts up or goes down. */
  async #answers(pid: number): Promise<boolean> {
    const deadline = performance.now() + START_DEADLINE_MS;
    while (this.#livePid() === pid && performance.now() < deadline) {
      if (await this.#canConnect()) {
        if (pid !== this.#known)
          this.#log.info({ pid, folder: this.#folder }, 'PostgreSQL already runs and is adopted');
        this.#known = pid;
        return true;
      }
      await sleep(POLL_MS);
    }
    return false;
  }

  async #canConnect(): Promise<boolean> {
    const client = new pg.Client({ ...this.connection, database: 'postgres' });
    client.on('error', () => {});
    try {
      await client.connect();
      return true;
    } catch {
      return false;
    } finally {
      await client.end().catch(() => {});
    }
  }

  /** Makes the cluster beside its place and moves it there, PG_VERSION last: a crash never leaves half a cluster that looks whole. */
  #initialise({ initdb }: Binaries): void {
    this.#log.info({ folder: this.#folder }, 'making a PostgreSQL cluster');
    const partial = join(this.#folder, '.partial');
    rmSync(partial, { recursive: true, force: true });
    const auth = ['--auth-local=peer', '--auth-host=reject', '-U', ROLE];
    const locale = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];
    const { status, stderr } = spawnSync(initdb, ['-D', partial, ...auth, ...locale, '--no-instructions'], {
      ...this.#as(),
      encoding: 'utf8',
    });
    if (status !== 0) throw this.#failed('could not make its cluster', stderr);
    this.#writeAuthentication(partial);
    const entries = readdirSync(partial).filter((name) => name !== 'PG_VERSION');
    for (const name of [...entries, 'PG_VERSION']) {
      rmSync(join(this.#folder, name), { recursive: true, force: true });
      renameSync(join(partial, name), join(this.#folder, name));
    }
    rmdirSync(partial);
  }

  /** Of the operating system's users this one, the cluster's own and root may be the database's only role. */
  #writeAuthentication(folder: string): void {
    const names = new Set([userInfo().username, this.#user?.name ?? userInfo().username, 'root']);
    writeFileSync(join(folder, 'pg_ident.conf'), [...names].map((name) => `sentinel "${name}" ${ROLE}\n`).join(''));
    writeFileSync(join(folder, 'pg_hba.conf'), `local all ${ROLE} peer map=sentinel\n`);
  }

  async #start({ postgres }: Binaries): Promise<void> {
    const logFile = join(this.#folder, 'server.log');
    if ((statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES) renameSync(logFile, `${logFile}.1`);
    // A pid file whose pid is no server of this folder would keep the server from starting.
    if (this.#livePid() === null) rmSync(join(this.#folder, 'postmaster.pid'), { force: true });
    const output = openSync(logFile, 'a', 0o600);
    const settings = { ...SETTINGS, unix_socket_directories: this.connection.host };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(postgres, ['-D', this.#folder, '-p', String(PORT), ...flags], {
      ...this.#as(),
      detached: true,
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    const ended = Promise.withResolvers<string>();
    child.once('error', (error) => ended.resolve(error.message));
    child.once('exit', (code, killedBy) => ended.resolve(`exit ${code ?? killedBy}`));
    child.unref();
    await this.#waitUntilReady(ended.promise, logFile);
    this.#known = child.pid;
    this.#log.info({ pid: child.pid, folder: this.#folder }, 'PostgreSQL started');
  }

  async #waitUntilReady(ended: Promise<string>, logFile: string): Promise<void> {
    const deadline = performance.now() + START_DEADLINE_MS;
    while (performance.now() < deadline) {
      if (await this.#canConnect()) return;
      const end = await Promise.race([ended, sleep(POLL_MS).then(() => null)]);
      if (end !== null) throw this.#failed(`did not start (${end})`, lastLines(logFile));
    }
    throw this.#failed(`did not start within ${START_DEADLINE_MS / 1000} s`, lastLines(logFile));
  }

  async #ensureDatabase(): Promise<void> {
    const client = new pg.Client({ ...this.connection, database: 'postgres' });
    client.on('error', () => {});
    await client.connect();
    try {
      const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
      if (rowCount === 0) await client.query(`create database ${DATABASE}`);
    } finally {
      await client.end();
    }
  }

  async #gone(pid: number, withinMs: number): Promise<boolean> {
    const deadline = performance.now() + withinMs;
    while (performance.now() < deadline) {
      if (this.#livePid() !== pid) return true;
      await sleep(POLL_MS);
    }
    return false;
  }

  #as(): { uid?: number; gid?: number; cwd: string; env: NodeJS.ProcessEnv } {
    const env = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' };
    return { ...(this.#user === null ? {} : { uid: this.#user.uid, gid: this.#user.gid }), cwd: '/', env };
  }

  #failed(what: string, words: string): SentinelError {
    return new SentinelError({
      code: 'UNAVAILABLE',
      message: `the embedded PostgreSQL in ${this.#folder} ${what}: ${words.trim()}`,
      field: 'correlation_engine.database.postgres_url',
      hint: 'Look at server.log in that folder; a full disk is the usual reason.',
    });
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself.
  }
}

function lastLines(file: string): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-3).join('; ');
  } catch {
    return '';
  }
}
