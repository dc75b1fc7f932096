import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../free-port.js';
import type { ServerKind, StartedServer } from '../kind.js';
import { ServerProcess } from '../server-process.js';
import { installCassandra } from './install.js';
import { ACCESS, FLEETING, java17, jvmOptions } from './jvm.js';
import { type CassandraPorts, settings } from './settings.js';

const START_TIMEOUT_MS = 120_000;
/** What its log says once it takes queries. */
const STARTED = 'Startup complete';

/** One Cassandra node of a test's own, on loopback: it may be killed, frozen, and started again on its port. About 0.9 GB of memory and 10 s. */
export class CassandraServer extends ServerProcess implements StartedServer {
  readonly #ports: CassandraPorts;
  readonly #java: string;
  readonly #jars: string;
  readonly #extra: readonly string[];

  private constructor(folder: string, ports: CassandraPorts, java: string, jars: string, extra: readonly string[]) {
    super(folder, { name: 'Cassandra', started: STARTED, timeoutMs: START_TIMEOUT_MS });
    this.#ports = ports;
    this.#java = java;
    this.#jars = jars;
    this.#extra = extra;
  }

  /**
   * @param extra more options of the JVM
   * @throws Error that says what this machine lacks
   */
  static async start(folder: string, extra: readonly string[] = []): Promise<CassandraServer> {
    const java = java17();
    const jars = await installCassandra();
    const ports = { cql: await freePort(), storage: await freePort(), jmx: await freePort() };
    const server = new CassandraServer(folder, ports, java, jars, extra);
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

  /** Starts it (again). @throws Error with the server's last words */
  async start(): Promise<void> {
    const data = join(this.folder, 'data');
    const config = join(this.folder, 'cassandra.yaml');
    mkdirSync(data, { recursive: true });
    // JSON is YAML.
    writeFileSync(config, JSON.stringify(settings(data, this.#ports)));
    const argv = [...jvmOptions(config, data, this.#ports.jmx), ...this.#extra, '-cp', join(this.#jars, '*')];
    await this.launch(this.#java, [...argv, 'org.apache.cassandra.service.CassandraDaemon']);
  }

  /** Runs Cassandra's own nodetool, such as `nodetool('flush')`. @returns what it printed */
  async nodetool(...args: string[]): Promise<string> {
    const program = [...ACCESS, '-cp', join(this.#jars, '*'), 'org.apache.cassandra.tools.NodeTool'];
    const where = ['-h', '127.0.0.1', '-p', String(this.#ports.jmx)];
    const run = promisify(execFile)(this.#java, [...program, ...where, ...args], { cwd: this.folder });
    return (await run).stdout;
  }
}

export const CASSANDRA: ServerKind = {
  variable: 'SENTINEL_TEST_CASSANDRA_URL',
  // Tests that kill one have one of their own.
  start: (folder) => CassandraServer.start(folder, FLEETING),
};
