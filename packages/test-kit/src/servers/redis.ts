import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CertificateFiles } from '../certificates.js';
import { freePort } from '../free-port.js';
import type { ServerKind, StartedServer } from './kind.js';
import { onPath } from './on-path.js';
import { ServerProcess } from './server-process.js';

const PROGRAM = 'redis-server';
const START_TIMEOUT_MS = 60_000;
/** What its log says once it takes commands. */
const STARTED = 'Ready to accept connections';

export interface RedisSpec {
  /** Absent = everyone may come in. */
  readonly password?: string;
  /** Absent = plaintext. */
  readonly tls?: CertificateFiles;
}

/** A Redis of a test's own, on loopback: it may be killed, frozen, and started again on its port. It keeps nothing over a restart. */
export class RedisServer extends ServerProcess implements StartedServer {
  readonly port: number;
  readonly #spec: RedisSpec;
  readonly #program: string;

  private constructor(folder: string, port: number, spec: RedisSpec, program: string) {
    super(folder, { name: 'Redis', started: STARTED, timeoutMs: START_TIMEOUT_MS });
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

  /** Starts it (again), empty. @throws Error with the server's last words */
  start(): Promise<void> {
    return this.launch(this.#program, this.#arguments());
  }

  #arguments(): string[] {
    const { password, tls } = this.#spec;
    const nothingKept = ['--save', '', '--appendonly', 'no'];
    const secret = password === undefined ? [] : ['--requirepass', password];
    return ['--bind', '127.0.0.1', '--dir', this.folder, ...nothingKept, ...secret, ...listening(this.port, tls)];
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
