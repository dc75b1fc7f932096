import { join } from 'node:path';
import type { ClientConnection } from '@sentinel/service-kit/grpc-client';
import { freePort } from '@sentinel/test-kit';
import { ROOT } from '../harness/paths.js';
import type { Reachable } from '../harness/stack.js';
import { until } from '../harness/until.js';
import { docker, dockerEnvironment, type Output } from './docker.js';
import type { Site } from './site.js';

const FILES = ['deploy/docker-compose.yml', 'deploy/docker/test.yaml'];
const WITHOUT_GRAFANA = 'deploy/docker/without-grafana.yaml';
const GRAFANA = 'grafana/grafana:12.3.0';
const LEDGER = 'ghcr.io/sentinel-sdc/audit-ledger:0.1.0-alpha';
const SECRETS = '/run/sentinel/secrets';

/** Variables of the compose file that say which port of this host is published. */
const PORTS = {
  engineGrpc: 'PORT_ENGINE_GRPC',
  engineHttp: 'PORT_ENGINE_HTTP',
  engineMetrics: 'PORT_ENGINE_METRICS',
  ledgerGrpc: 'PORT_LEDGER_GRPC',
  ledgerHttp: 'PORT_LEDGER_HTTP',
  ledgerMetrics: 'PORT_LEDGER_METRICS',
  postgres: 'PORT_POSTGRES',
  scylladb: 'PORT_SCYLLADB',
  scylladbMetrics: 'PORT_SCYLLADB_METRICS',
  redis: 'PORT_REDIS',
  prometheus: 'PORT_PROMETHEUS',
  grafana: 'PORT_GRAFANA',
} as const;
export type PortName = keyof typeof PORTS;

export interface Container {
  readonly Name: string;
  readonly Service: string;
  readonly State: string;
  readonly Health: string;
}

/** The stack of deploy/docker-compose.yml under a name of its own, on free ports of this machine. */
export class ComposeProject implements Site, Reachable, AsyncDisposable {
  readonly name: string;
  /** Operator's token, once it is up. */
  secrets = { operatorToken: '' };
  /** In which `docker compose` means this project's ports. */
  readonly environment: NodeJS.ProcessEnv;
  readonly #ports: Readonly<Record<PortName, number>>;
  /** Flags that name the compose files. */
  readonly #files: readonly string[];

  private constructor(
    name: string,
    env: NodeJS.ProcessEnv,
    ports: Readonly<Record<PortName, number>>,
    files: readonly string[],
  ) {
    this.name = name;
    this.environment = env;
    this.#ports = ports;
    this.#files = files;
  }

  /** Nothing runs yet, and nothing is left of an earlier project of that name. */
  static async prepare(name: string): Promise<ComposeProject> {
    const base = await dockerEnvironment();
    const ports: Partial<Record<PortName, number>> = {};
    const env: NodeJS.ProcessEnv = { ...base, ALLOW_TEST_BUILDS: 'true' };
    for (const [key, variable] of Object.entries(PORTS)) {
      const port = await freePort();
      ports[key as PortName] = port;
      env[variable] = String(port);
    }
    const grafana = (await docker(base, ['image', 'inspect', GRAFANA])).code === 0;
    const files = [...FILES, ...(grafana ? [] : [WITHOUT_GRAFANA])].flatMap((file) => ['-f', join(ROOT, file)]);
    const project = new ComposeProject(name, env, ports as Record<PortName, number>, files);
    await project.remove();
    return project;
  }

  /** HOST:PORT of this machine. */
  at(port: PortName): string {
    return `127.0.0.1:${this.#ports[port]}`;
  }

  get engine(): Site['engine'] {
    return { grpc: this.at('engineGrpc'), http: this.at('engineHttp'), metrics: this.at('engineMetrics') };
  }

  get ledger(): Site['ledger'] {
    return { grpc: this.at('ledgerGrpc'), http: this.at('ledgerHttp'), metrics: this.at('ledgerMetrics') };
  }

  get prometheus(): string {
    return this.at('prometheus');
  }

  connection(to: 'engine' | 'ledger'): Omit<ClientConnection, 'token'> {
    return { address: this.at(to === 'engine' ? 'engineGrpc' : 'ledgerGrpc'), tls: null };
  }

  /** `docker compose …` about this project, whatever its end is. */
  run(...args: string[]): Promise<Output> {
    return docker(this.environment, ['compose', '-p', this.name, ...this.#files, ...args]);
  }

  /** The same. @returns what it printed. @throws Error with its words where it fails */
  async compose(...args: string[]): Promise<string> {
    return succeeded(await this.run(...args), `docker compose ${args.join(' ')}`);
  }

  /** A command in the container of a service. */
  exec(service: string, ...command: string[]): Promise<string> {
    return this.compose('exec', '-T', service, ...command);
  }

  /** Runs a script where these volumes of the project are, as the user that the services have. */
  async inVolumes(at: Readonly<Record<string, string>>, script: string): Promise<void> {
    const mounts = Object.entries(at).flatMap(([volume, path]) => ['-v', `${this.name}_${volume}:${path}`]);
    const args = ['run', '--rm', ...mounts, '--entrypoint', 'sh', LEDGER, '-c', script];
    succeeded(await docker(this.environment, args), `a script in ${Object.keys(at).join(', ')}`);
  }

  /** Builds the images that the tests run; that for GPUs is none of them. */
  async build(): Promise<void> {
    const built = ['correlation-engine', 'audit-ledger', 'probe-agent', 'probe-agent-inject'];
    await this.compose('--profile', 'agent', '--profile', 'inject', 'build', ...built);
  }

  /** Starts all, or what is named, of these profiles; returns when it is healthy. @returns seconds */
  async up(profiles: readonly string[] = [], ...services: string[]): Promise<number> {
    const started = performance.now();
    await this.compose(...profiles.flatMap((each) => ['--profile', each]), 'up', '-d', '--wait', ...services);
    this.secrets = { operatorToken: await this.secret('operator.token') };
    return (performance.now() - started) / 1000;
  }

  async secret(name: string): Promise<string> {
    return (await this.exec('secrets', 'cat', `${SECRETS}/${name}`)).trim();
  }

  async containers(): Promise<Container[]> {
    const lines = (await this.compose('ps', '--all', '--format', 'json')).split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Container);
  }

  /** Waits until a container of a service runs that began after `since`, and is healthy. */
  healthy(service: string, since: Date, timeoutMs: number): Promise<unknown> {
    return until(
      `${service} is healthy again`,
      timeoutMs,
      async () => {
        const { StartedAt, Health } = await this.state(service);
        return new Date(StartedAt) > since && Health?.Status === 'healthy';
      },
      500,
    );
  }

  async state(service: string): Promise<{ StartedAt: string; Health?: { Status: string } }> {
    const format = ['inspect', '--format', '{{json .State}}', `${this.name}-${service}`];
    const answer = succeeded(await docker(this.environment, format), `docker inspect ${service}`);
    return JSON.parse(answer) as { StartedAt: string; Health?: { Status: string } };
  }

  /** Memory of all its containers, as their engine counts it, MiB. */
  async memory(): Promise<number> {
    const names = (await this.containers()).map(({ Name }) => Name);
    const used = await docker(this.environment, ['stats', '--no-stream', '--format', '{{.MemUsage}}', ...names]);
    return succeeded(used, 'docker stats')
      .trim()
      .split('\n')
      .reduce((sum, line) => sum + mebibytes(line), 0);
  }

  /** When the agent with the fault first gave a wrong result, microseconds since 1970. */
  async firstInjected(): Promise<number> {
    const log = await this.compose('--profile', 'inject', 'logs', '--no-log-prefix', 'probe-agent-inject');
    const line = log.split('\n').find((each) => each.includes('"first injected wrong result"'));
    if (line === undefined) throw new Error(`no wrong result was injected: ${log.slice(-2000)}`);
    return Number((JSON.parse(line) as { atUs: number }).atUs);
  }

  /** Address of a container in the project's network, which this machine reaches as well. */
  async addressOf(service: string): Promise<string> {
    const format = ['inspect', '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}'];
    return succeeded(
      await docker(this.environment, [...format, `${this.name}-${service}`]),
      `docker inspect ${service}`,
    ).trim();
  }

  /** Ends it; the volumes stay. */
  async down(): Promise<void> {
    await this.compose('--profile', '*', 'down', '--remove-orphans');
  }

  /** Ends it and removes its volumes. */
  async remove(): Promise<void> {
    await this.compose('--profile', '*', 'down', '--remove-orphans', '--volumes');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove();
  }
}

const UNITS: Readonly<Record<string, number>> = { B: 2 ** -20, KiB: 2 ** -10, MiB: 1, GiB: 2 ** 10 };

/** Of `137.6MiB / 2GiB` the first. */
function mebibytes(line: string): number {
  const [, amount, unit = ''] = /^([\d.]+)(\w+) \//.exec(line) ?? [];
  return Number(amount) * (UNITS[unit] ?? Number.NaN);
}

function succeeded({ code, stdout, stderr }: Output, what: string): string {
  if (code !== 0) throw new Error(`${what} ended with ${code}: ${stderr.slice(-4000)}${stdout.slice(-2000)}`);
  return stdout;
}
