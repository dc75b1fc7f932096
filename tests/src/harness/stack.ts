import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClientConnection } from '@sentinel/service-kit/grpc-client';
import { freePort } from '@sentinel/test-kit';
import { certificatesFor, type StackCertificates } from './certificates.js';
import { BIN, BUSY_SCHEDULE, INFERENCE_THRESHOLDS, SCHEDULES, TRAINING_THRESHOLDS } from './paths.js';
import { endPostgres } from './postgres.js';
import { makeSecrets, type Secrets } from './secrets.js';
import { Service } from './service.js';

/** Nested configuration values, merged over those of the stack. */
export interface Overlay {
  readonly [key: string]: string | number | boolean | readonly string[] | Overlay;
}

export interface StackOptions {
  readonly tls?: boolean;
  readonly engine?: Overlay;
  readonly ledger?: Overlay;
  readonly agent?: Overlay;
  /** Program to run as the engine, in place of the product's. */
  readonly engineBin?: string;
}

export interface AgentOptions {
  readonly node?: string;
  /** What `--inject` says: runs the agent's test build. */
  readonly inject?: string;
  /** Added to the environment. */
  readonly env?: NodeJS.ProcessEnv;
  readonly overlay?: Overlay;
  /** Endpoint in place of the engine's own: a proxy. */
  readonly engine?: string;
}

/** An agent that says much in little time. */
export const BUSY_AGENT: Overlay = { schedule_file: BUSY_SCHEDULE, batch_flush_interval_ms: 100 };

type Section = Record<string, unknown>;

/** How clients reach an installation, whatever runs it. */
export interface Reachable {
  connection(to: 'engine' | 'ledger'): Omit<ClientConnection, 'token'>;
  readonly secrets: Pick<Secrets, 'operatorToken'>;
}

/** A whole SENTINEL in a temporary folder, made of the real processes. */
export class Stack {
  readonly folder: string;
  readonly secrets: Secrets;
  readonly certificates: StackCertificates | null;
  readonly ledger: Service;
  readonly engine: Service;
  readonly agents: Service[] = [];
  readonly address: { readonly engine: Addresses; readonly ledger: Addresses };
  readonly #options: StackOptions;

  private constructor(
    folder: string,
    options: StackOptions,
    certificates: StackCertificates | null,
    address: Stack['address'],
  ) {
    this.folder = folder;
    this.#options = options;
    this.certificates = certificates;
    this.address = address;
    this.secrets = makeSecrets(join(folder, 'secrets'));
    this.ledger = this.#service('ledger', BIN.ledger, 'audit_ledger', this.#ledgerConfig());
    this.engine = this.#service('engine', options.engineBin ?? BIN.engine, 'correlation_engine', this.#engineConfig());
  }

  /** Folder, secrets, certificates and configuration; no process yet. */
  static async prepare(options: StackOptions = {}): Promise<Stack> {
    const folder = mkdtempSync(join(tmpdir(), 'sentinel-test-'));
    // PostgreSQL runs as a user of its own when the tests run as root, and must be able to pass through.
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, 'run'));
    const certificates = options.tls === true ? await certificatesFor(join(folder, 'certs')) : null;
    return new Stack(folder, options, certificates, { engine: await addresses(), ledger: await addresses() });
  }

  /** Ledger, then engine, both serving. */
  static async start(options: StackOptions = {}): Promise<Stack> {
    const stack = await Stack.prepare(options);
    try {
      await Promise.all([stack.ledger.start(), stack.engine.start()]);
    } catch (error) {
      await stack.stop().catch(() => undefined);
      throw error;
    }
    return stack;
  }

  /** An agent of this stack, not started. */
  agent({ node = 'node-1', inject, env = {}, overlay = {}, engine }: AgentOptions = {}): Service {
    const config = merge(merge(this.#agentConfig(node), this.#options.agent ?? {}), overlay);
    if (engine !== undefined) config.correlation_engine_endpoint = engine;
    const bin = inject === undefined ? BIN.agent : BIN.testAgent;
    const args = inject === undefined ? [] : ['--inject', inject];
    const service = this.#service(node, bin, 'probe_agent', config, args, env);
    this.agents.push(service);
    return service;
  }

  /** The training monitor of a node of this stack, not started. */
  trainingMonitor(node: string, overlay: Overlay = {}): Service {
    const name = `training-${node}`;
    const config = {
      thresholds_file: TRAINING_THRESHOLDS,
      correlation_engine_endpoint: this.address.engine.grpc,
      socket_path: join(this.folder, 'run', 'training.sock'),
      data_dir: join(this.folder, name),
      node_name: node,
      // With a certificate that says who it is a token would say otherwise.
      ...(this.certificates === null ? { service_token_path: this.secrets.serviceTokenFile } : {}),
      tls: this.#tls('training-monitor'),
      metrics: { listen_address: '127.0.0.1:0' },
    };
    const service = this.#service(name, BIN.trainingMonitor, 'training_monitor', merge(config, overlay));
    this.agents.push(service);
    return service;
  }

  /** The inference monitor of a node of this stack, not started. */
  inferenceMonitor(node: string, overlay: Overlay): Service {
    const name = `inference-${node}`;
    const config = {
      thresholds_file: INFERENCE_THRESHOLDS,
      correlation_engine_endpoint: this.address.engine.grpc,
      socket_path: join(this.folder, 'run', `${name}.sock`),
      data_dir: join(this.folder, name),
      node_name: node,
      // With a certificate that says who it is a token would say otherwise.
      ...(this.certificates === null ? { service_token_path: this.secrets.serviceTokenFile } : {}),
      tls: this.#tls('inference-monitor'),
      metrics: { listen_address: '127.0.0.1:0' },
    };
    const service = this.#service(name, BIN.inferenceMonitor, 'inference_monitor', merge(config, overlay));
    this.agents.push(service);
    return service;
  }

  /** Writes the engine's configuration anew and has it read (SIGHUP). */
  async reconfigureEngine(overlay: Overlay): Promise<void> {
    const from = this.engine.lines.length;
    this.#write('engine', 'correlation_engine', merge(this.#engineConfig(), overlay));
    this.engine.signal('SIGHUP');
    await this.engine.line('a changed setting', 30_000, ({ msg }) => msg === 'setting changed', from);
  }

  /** How a client reaches the engine or the ledger, with the certificate of `role` where there is TLS. */
  connection(to: 'engine' | 'ledger', role = 'operator'): Omit<ClientConnection, 'token'> {
    const files = this.certificates?.files(role);
    return {
      address: this.address[to].grpc,
      tls: files === undefined ? null : { files, keyPrefix: 'test.tls', serverName: 'localhost' },
    };
  }

  /** Stops everything, newest first, and removes the folder. */
  async stop(): Promise<void> {
    const failures: unknown[] = [];
    for (const service of [...this.agents.toReversed(), this.engine, this.ledger]) {
      await service.stop().catch((error: unknown) => failures.push(error));
    }
    await endPostgres(this);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
    if (failures.length > 0) throw new AggregateError(failures, 'the stack did not stop in order');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #service(
    name: string,
    bin: string,
    section: string,
    config: Section,
    args: readonly string[] = [],
    env: NodeJS.ProcessEnv = {},
  ): Service {
    const file = this.#write(name, section, config);
    const readyFile = join(this.folder, 'run', `${name}.ready.json`);
    return new Service({ name, bin, args: ['--config', file, ...args], readyFile, env });
  }

  #write(name: string, section: string, config: Section): string {
    const file = join(this.folder, `${name}.yaml`);
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({ [section]: config, logging: { format: 'json', level: 'info' } }, null, 2));
    return file;
  }

  #ledgerConfig(): Section {
    return merge(
      {
        listen_address: this.address.ledger.grpc,
        http: { listen_address: this.address.ledger.http },
        metrics: { listen_address: this.address.ledger.metrics },
        tls: this.#tls('audit-ledger'),
        data_dir: join(this.folder, 'ledger'),
        signing_key_path: this.secrets.ledgerKeyFile,
        operator_token_path: this.secrets.operatorTokenFile,
        service_token_path: this.secrets.serviceTokenFile,
      },
      this.#options.ledger ?? {},
    );
  }

  #engineConfig(): Section {
    return merge(
      {
        listen_address: this.address.engine.grpc,
        http: { listen_address: this.address.engine.http },
        metrics: { listen_address: this.address.engine.metrics },
        tls: this.#tls('correlation-engine'),
        mode: 'enforce',
        allow_test_builds: true,
        gates: { deep_test_seconds: 0 },
        database: { postgres_url: `embedded://${join(this.folder, 'pg')}` },
        history: { url: `file://${join(this.folder, 'history')}` },
        audit_ledger_endpoint: this.address.ledger.grpc,
        hmac_keys_path: this.secrets.hmacKeysFile,
        operator_token_path: this.secrets.operatorTokenFile,
        service_token_path: this.secrets.serviceTokenFile,
      },
      this.#options.engine ?? {},
    );
  }

  #agentConfig(node: string): Section {
    return {
      schedule_file: join(SCHEDULES, 'fast.yaml'),
      correlation_engine_endpoint: this.address.engine.grpc,
      backend: 'cpu',
      hmac_key_path: this.secrets.hmacKeyFile,
      data_dir: join(this.folder, 'spool'),
      node_name: node,
      spool: { ack_journal: true },
      tls: this.#tls('probe-agent'),
      metrics: { listen_address: '127.0.0.1:0' },
    };
  }

  #tls(role: string): Section {
    const files = this.certificates?.files(role);
    if (files === undefined) return { enabled: false };
    return {
      enabled: true,
      cert_file: files.certFile,
      key_file: files.keyFile,
      ca_file: files.caFile,
      server_name: 'localhost',
    };
  }
}

/** host:port of each port of a service. */
export interface Addresses {
  readonly grpc: string;
  readonly http: string;
  readonly metrics: string;
}

async function addresses(): Promise<Addresses> {
  const next = async (): Promise<string> => `127.0.0.1:${await freePort()}`;
  return { grpc: await next(), http: await next(), metrics: await next() };
}

function merge(base: Section, overlay: Overlay | Section): Section {
  const merged: Section = { ...base };
  for (const [key, value] of Object.entries(overlay)) {
    const before = merged[key];
    merged[key] = isSection(before) && isSection(value) ? merge(before, value) : value;
  }
  return merged;
}

function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
