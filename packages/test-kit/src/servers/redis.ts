import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CertificateFiles } from '../certificates.js';
import { eventually } from '../eventually.js';
import { freePort } from '../free-port.js';
import type { ServerKind, StartedServer } from './kind.js';
import { onPath } from './on-path.js';
import { type Tie, tie } from './tied.js';

const PROGRAM = 'redis-server';
const START_TIMEOUT_MS = 20_000;
/** What its log says once it takes commands. */
const STARTED = 'Ready to accept connections';

export interface RedisSpec {
  /** Absent = everyone may come in. */
  readonly password?: string;
  /** Absent = plaintext. */
  readonly tls?: CertificateFiles;
}

/** A Redis of a test's own, on loopback: it may be killed, frozen, and started again on its port. It keeps nothing over a restart. */
export class RedisServer implements StartedServer, AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #spec: RedisSpec;
  readonly #program: string;
  #child: ChildProcess | null = null;
  #tie: Tie | null = null;

  private constructor(folder: string, port: number, spec: RedisSpec, program: string) {
    this.#folder = folder;
    this.port = port;
    this.#spec = spec;
    this.#program = program;
  }

  /**
   * @param folder exists and is empty; by default one of its own
   * @throws Error that says what this machine lacks
   */
  static async start(spec: RedisSpec = {}, folder?: string): Promise<RedisServer> {
    const program = onPath(PROGRAM);
    if (program === null)
      throw new Error(
        `there is no ${PROGRAM} on the PATH: install it, for example with "apt-get install redis-server"`,
      );
    const own = folder ?? mkdtempSync(join(tmpdir(), 'sentinel-redis-'));
    const server = new RedisServer(own, await freePort(), spec, program);
    await server.start();
    return server;
  }

  /** With the password. */
  get url(): string {
    const { tls, password } = this.#spec;
    const secret = password === undefined ? '' : `:${encodeURIComponent(password)}@`;
    return `${tls === undefined ? 'redis' : 'rediss'}://${secret}127.0.0.1:${this.port}`;
  }

  /** 0 while it does not run. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Starts it (again), empty. @throws Error with the server's last words */
  async start(): Promise<void> {
    const log = openSync(this.#log, 'w');
    const child = spawn(this.#program, this.#arguments(), {
      cwd: this.#folder,
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    await once(child, 'spawn');
    child.unref();
    this.#child = child;
    this.#tie = tie({ pid: this.pid, folder: this.#folder, signal: 'KILL' });
    await this.#answers(child);
  }

  /** Kills it with SIGKILL, also while it is paused. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    child.ref();
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    this.#tie?.drop();
    this.#tie = null;
    this.#child = null;
  }

  /** Stops it in its tracks (SIGSTOP), without a word to those connected, until `resume`. */
  pause(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  get #log(): string {
    return join(this.#folder, 'server.log');
  }

  #arguments(): string[] {
    const { password, tls } = this.#spec;
    const nothingKept = ['--save', '', '--appendonly', 'no'];
    const secret = password === undefined ? [] : ['--requirepass', password];
    return ['--bind', '127.0.0.1', '--dir', this.#folder, ...nothingKept, ...secret, ...listening(this.port, tls)];
  }

  async #answers(child: ChildProcess): Promise<void> {
    const ended = (): boolean => child.exitCode !== null || child.signalCode !== null;
    const said = (): string => readFileSync(this.#log, 'utf8');
    await eventually(() => ended() || said().includes(STARTED), {
      what: 'Redis answers',
      timeoutMs: START_TIMEOUT_MS,
      intervalMs: 10,
    });
    if (ended()) throw new Error(`Redis ended: ${said().slice(-2000)}`);
  }
}

function listening(port: number, tls: CertificateFiles | undefined): string[] {
  if (tls === undefined) return ['--port', String(port)];
  const files = ['--tls-cert-file', tls.certFile, '--tls-key-file', tls.keyFile, '--tls-ca-cert-file', tls.caFile];
  return ['--port', '0', '--tls-port', String(port), ...files, '--tls-auth-clients', 'no'];
}

export const REDIS: ServerKind = {
  variable: 'SENTINEL_TEST_REDIS_URL',
  start: (folder) => RedisServer.start({}, folder),
};
