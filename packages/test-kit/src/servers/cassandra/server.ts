import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '../../eventually.js';
import { freePort } from '../../free-port.js';
import type { ServerKind, StartedServer } from '../kind.js';
import { type Tie, tie } from '../tied.js';
import { installCassandra } from './install.js';
import { ACCESS, java17, jvmOptions } from './jvm.js';
import { type CassandraPorts, settings } from './settings.js';

const START_TIMEOUT_MS = 120_000;
/** What its log says once it takes queries. */
const STARTED = 'Startup complete';

/** One Cassandra node of a test's own, on loopback: it may be killed, frozen, and started again on its port. About 0.9 GB of memory and 10 s. */
export class CassandraServer implements StartedServer, AsyncDisposable {
  readonly folder: string;
  readonly #ports: CassandraPorts;
  readonly #java: string;
  readonly #jars: string;
  #child: ChildProcess | null = null;
  #tie: Tie | null = null;

  private constructor(folder: string, ports: CassandraPorts, java: string, jars: string) {
    this.folder = folder;
    this.#ports = ports;
    this.#java = java;
    this.#jars = jars;
  }

  /** @throws Error that says what this machine lacks */
  static async start(folder: string): Promise<CassandraServer> {
    const java = java17();
    const jars = await installCassandra();
    const ports = { cql: await freePort(), storage: await freePort(), jmx: await freePort() };
    const server = new CassandraServer(folder, ports, java, jars);
    await server.start();
    return server;
  }

  get port(): number {
    return this.#ports.cql;
  }

  /** Its only data centre stands where a database would. */
  get url(): string {
    return `cassandra://127.0.0.1:${this.port}/datacenter1`;
  }

  /** 0 while it does not run. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Starts it (again). @throws Error with the server's last words */
  async start(): Promise<void> {
    const data = join(this.folder, 'data');
    const config = join(this.folder, 'cassandra.yaml');
    mkdirSync(data, { recursive: true });
    // JSON is YAML.
    writeFileSync(config, JSON.stringify(settings(data, this.#ports)));
    const log = openSync(this.#log, 'w');
    const argv = [...jvmOptions(config, data, this.#ports.jmx), '-cp', join(this.#jars, '*')];
    const child = spawn(this.#java, [...argv, 'org.apache.cassandra.service.CassandraDaemon'], {
      cwd: this.folder,
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    await once(child, 'spawn');
    child.unref();
    this.#child = child;
    this.#tie = tie({ pid: this.pid, folder: this.folder, signal: 'KILL' });
    await this.#answers(child);
  }

  /** Kills it with SIGKILL; its folder stays. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    child.ref();
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    this.#tie?.drop();
    this.#child = null;
  }

  /** Stops it in its tracks (SIGSTOP), without a word to those connected, until `resume`. */
  pause(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** Runs Cassandra's own nodetool, such as `nodetool('flush')`. @returns what it printed */
  async nodetool(...args: string[]): Promise<string> {
    const program = [...ACCESS, '-cp', join(this.#jars, '*'), 'org.apache.cassandra.tools.NodeTool'];
    const where = ['-h', '127.0.0.1', '-p', String(this.#ports.jmx)];
    const run = promisify(execFile)(this.#java, [...program, ...where, ...args], { cwd: this.folder });
    return (await run).stdout;
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    await this.#tie?.release();
    this.#child = null;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  get #log(): string {
    return join(this.folder, 'server.log');
  }

  async #answers(child: ChildProcess): Promise<void> {
    const ended = (): boolean => child.exitCode !== null || child.signalCode !== null;
    const said = (): string => readFileSync(this.#log, 'utf8');
    await eventually(() => ended() || said().includes(STARTED), {
      what: 'Cassandra answers',
      timeoutMs: START_TIMEOUT_MS,
    });
    if (ended()) throw new Error(`Cassandra ended: ${said().slice(-2000)}`);
  }
}

export const CASSANDRA: ServerKind = {
  variable: 'SENTINEL_TEST_CASSANDRA_URL',
  start: (folder) => CassandraServer.start(folder),
};
