import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { eventually } from '../eventually.js';
import { freePort } from '../free-port.js';
import type { ServerKind, StartedServer } from './kind.js';
import { type Identity, postgresIdentity, postgresPrograms } from './postgres-binaries.js';
import { type Tie, tie } from './tied.js';

const START_TIMEOUT_MS = 90_000;
const ROLE = 'postgres';
/** Known to whoever reads this: the server listens on loopback and holds what a test made. */
const PASSWORD = 'for tests';

/** A commit is durable, as in production; the rest is made small. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '32MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '256MB',
  jit: 'off',
};

export interface PostgresOptions {
  /** Settings of the server, over those of every test server. */
  readonly settings?: Readonly<Record<string, string>>;
  /** PEM files: then TCP connections without TLS are refused. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
}

/** A PostgreSQL server of a test's own: it may be killed, stopped and started again on its port. */
export class PostgresServer implements StartedServer, AsyncDisposable {
  readonly folder: string;
  readonly port: number;
  readonly #options: PostgresOptions;
  readonly #identity: Identity = postgresIdentity();
  readonly #programs: string;
  #child: ChildProcess | null = null;
  #tie: Tie | null = null;

  private constructor(folder: string, port: number, options: PostgresOptions) {
    this.folder = folder;
    this.port = port;
    this.#options = options;
    // Whoever PostgreSQL runs as has to get through.
    chmodSync(folder, 0o711);
    this.#programs = postgresPrograms(folder, this.#identity);
  }

  /** Makes a cluster in `folder` and starts it. */
  static async start(folder: string, options: PostgresOptions = {}): Promise<PostgresServer> {
    const server = new PostgresServer(folder, await freePort(), options);
    server.#initialise();
    await server.start();
    return server;
  }

  /** Of a superuser, to the database `postgres`. */
  get url(): string {
    return `postgres://${ROLE}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${this.port}/postgres`;
  }

  /** Of the postmaster, 0 while it does not run. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Starts it (again). @throws Error with the server's last words */
  async start(): Promise<void> {
    const log = openSync(join(this.folder, 'server.log'), 'a');
    const settings = Object.entries({ ...SETTINGS, ...this.#tlsSettings(), ...this.#options.settings });
    const flags = settings.flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(join(this.#programs, 'postgres'), ['-D', this.#data, '-p', String(this.port), ...flags], {
      ...this.#identity,
      cwd: '/',
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    await once(child, 'spawn');
    child.unref();
    this.#child = child;
    this.#tie = tie({ pid: child.pid ?? 0, folder: this.folder, signal: 'QUIT' });
    await this.#answers(child);
  }

  /** `fast` ends connections and shuts down in order, `immediate` is a crash that is recovered from, `kill -9` one of every process at once. */
  async halt(how: 'fast' | 'immediate' | 'kill -9' = 'fast'): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    if (!this.runs) return this.#forget();
    child.ref();
    const gone = once(child, 'exit');
    const backends = how === 'kill -9' ? await this.#killAll(child) : [];
    if (how !== 'kill -9') child.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await gone;
    // One in the middle of a write to the disk dies after it; until then the next postmaster finds its memory in use and gives up.
    await eventually(() => !backends.some(lives), { what: 'the backends are gone', timeoutMs: START_TIMEOUT_MS });
    this.#forget();
  }

  /** @returns the backends: the postmaster stands still meanwhile, and makes none that nobody sees */
  async #killAll(child: ChildProcess): Promise<number[]> {
    child.kill('SIGSTOP');
    await eventually(() => !moves(this.pid), { what: 'the postmaster stands still' });
    const backends = backendsOf(this.pid);
    for (const pid of [this.pid, ...backends]) killIfThere(pid);
    return backends;
  }

  /** It may have ended by itself, as with a full disk. */
  get runs(): boolean {
    const child = this.#child;
    return child !== null && child.exitCode === null && child.signalCode === null;
  }

  #forget(): void {
    this.#tie?.drop();
    this.#child = null;
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    await this.#tie?.release();
    this.#child = null;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** One statement as superuser, in `database`. */
  async sql(text: string, database = 'postgres'): Promise<Record<string, unknown>[]> {
    const url = new URL(this.url);
    url.pathname = database;
    const client = new pg.Client({ connectionString: url.href, ssl: this.#ssl });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  }

  get #ssl(): pg.ClientConfig['ssl'] {
    return this.#options.tls === undefined ? false : { rejectUnauthorized: false };
  }

  get #data(): string {
    return join(this.folder, 'data');
  }

  #initialise(): void {
    const passwordFile = join(this.folder, 'password');
    writeFileSync(passwordFile, PASSWORD);
    mkdirSync(this.#data, { mode: 0o700 });
    const { uid, gid } = this.#identity;
    if (uid !== undefined && gid !== undefined)
      for (const each of [passwordFile, this.#data]) chownSync(each, uid, gid);
    const auth = ['-U', ROLE, '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
    const locale = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];
    const { status, stderr } = spawnSync(
      join(this.#programs, 'initdb'),
      ['-D', this.#data, ...auth, ...locale, '--no-sync', '--no-instructions'],
      { ...this.#identity, cwd: '/', encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(`PostgreSQL could not make its cluster: ${stderr}`);
    if (this.#options.tls !== undefined)
      writeFileSync(join(this.#data, 'pg_hba.conf'), 'hostssl all all all scram-sha-256\n');
  }

  /** A key must belong to the server's user and be its alone. */
  #tlsSettings(): Record<string, string> {
    const { tls } = this.#options;
    if (tls === undefined) return {};
    const [certificate, key] = ['server.crt', 'server.key'].map((name) => join(this.folder, name)) as [string, string];
    writeFileSync(certificate, readFileSync(tls.certFile));
    writeFileSync(key, readFileSync(tls.keyFile), { mode: 0o600 });
    if (this.#identity.uid !== undefined) chownSync(key, this.#identity.uid, this.#identity.gid ?? 0);
    return { ssl: 'on', ssl_cert_file: certificate, ssl_key_file: key };
  }

  async #answers(child: ChildProcess): Promise<void> {
    const ended = (): boolean => child.exitCode !== null || child.signalCode !== null;
    await eventually(
      async () => {
        if (ended()) return true;
        const client = new pg.Client({ connectionString: this.url, ssl: this.#ssl });
        client.on('error', () => undefined);
        await client.connect();
        await client.end();
        return true;
      },
      { what: 'PostgreSQL answers', timeoutMs: START_TIMEOUT_MS },
    );
    if (ended())
      throw new Error(`PostgreSQL ended: ${readFileSync(join(this.folder, 'server.log'), 'utf8').slice(-2000)}`);
  }
}

/** A backend may end by itself between the look and the signal. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Child processes, as /proc tells. */
function backendsOf(postmaster: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => statOf(pid)?.parent === postmaster);
}

/** One that has ended and that nobody has asked about yet does not live. */
function lives(pid: number): boolean {
  return (statOf(pid)?.state ?? 'Z') !== 'Z';
}

/** Neither stopped nor ended. */
function moves(pid: number): boolean {
  return lives(pid) && statOf(pid)?.state !== 'T';
}

function statOf(pid: number): { state: string; parent: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state = '', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return null;
  }
}

export const POSTGRES: ServerKind = {
  variable: 'SENTINEL_TEST_POSTGRES_URL',
  start: (folder) => PostgresServer.start(folder),
};
