import { chmodSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '@sentinel/service-kit/config';
import type { ReadyInfo } from '@sentinel/service-kit/lifecycle';
import { type Logger, silentLogger } from '@sentinel/service-kit/logging';
import pg from 'pg';
import { Engine, type EngineOptions } from '../build.js';
import { PATIENT } from './patient.js';

export const FLEET_KEY = 'a key for tests that is long enough';
export const OPERATOR_TOKEN = 'operator-token-for-tests';
export const SERVICE_TOKEN = 'service-token-for-tests';

type Settings = Record<string, unknown>;

const SETTINGS: Settings = {
  listen_address: '127.0.0.1:0',
  tls: { enabled: false },
  http: { listen_address: '127.0.0.1:0' },
  metrics: { listen_address: '127.0.0.1:0' },
  mode: 'enforce',
  audit_ledger_endpoint: '127.0.0.1:1',
  hmac_keys: { default: FLEET_KEY },
  operator_token: OPERATOR_TOKEN,
  service_token: SERVICE_TOKEN,
  gates: { dwell_small_seconds: 0, deep_test_seconds: 0 },
};

/** Engines over one folder, one after the other, in this process: real PostgreSQL, real files, real ports. */
export class TestEngine {
  readonly folder = mkdtempSync(join(tmpdir(), 'sentinel-engine-'));
  readonly lines: Record<string, unknown>[] = [];
  readonly fatal: unknown[] = [];
  #settings: Settings;
  #waiting = new AbortController();
  #engine: Engine | null = null;
  #ready: ReadyInfo = {};

  constructor(settings: Settings = {}) {
    this.#settings = { ...SETTINGS, ...settings };
    // As root PostgreSQL is another user, who has to get there.
    chmodSync(this.folder, 0o711);
  }

  get grpc(): string {
    return this.#ready.grpc ?? '';
  }

  get http(): string {
    return this.#ready.http ?? '';
  }

  get metrics(): string {
    return this.#ready.metrics ?? '';
  }

  /** What is logged goes to `lines`. */
  async start(options: Partial<EngineOptions> = {}): Promise<this> {
    const loaded = loadConfig({ section: 'correlation_engine', argv: ['--config', this.#writeConfig()], env: {} });
    const fatal = (error: unknown) => this.fatal.push(error);
    const engine = new Engine({ loaded, log: this.#logger(), fatal, timeouts: PATIENT, ...options });
    this.#waiting = new AbortController();
    this.#ready = await engine.start(this.#waiting.signal);
    this.#engine = engine;
    return this;
  }

  async stop(): Promise<void> {
    // One that waits for its database waits no longer.
    this.#waiting.abort();
    const engine = this.#engine;
    this.#engine = null;
    await engine?.stop();
  }

  /** Changes settings the way an operator does: the file, then SIGHUP. */
  reload(settings: Settings): void {
    this.#settings = { ...this.#settings, ...settings };
    this.#writeConfig();
    this.#engine?.reload();
  }

  /** Reads the tables behind the engine's back. */
  async sql<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    const { database } = this.#settings as { database?: { postgres_url?: string } };
    const client = new pg.Client(
      database?.postgres_url === undefined
        ? { host: realpathSync(join(this.folder, 'pg')), port: 5432, user: 'sentinel', database: 'sentinel' }
        : { connectionString: database.postgres_url },
    );
    client.on('error', () => {});
    await client.connect();
    try {
      return (await client.query<Row>(text, values)).rows;
    } finally {
      await client.end();
    }
  }

  /** One sample of GET /metrics, 0 where there is none. */
  async metric(sample: string): Promise<number> {
    const text = await (await fetch(`http://${this.metrics}/metrics`)).text();
    const line = text.split('\n').find((candidate) => candidate.startsWith(`${sample} `));
    return Number(line?.slice(sample.length + 1) ?? 0);
  }

  /** Stops the engine and removes every trace. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #writeConfig(): string {
    const file = join(this.folder, 'sentinel.yaml');
    const settings = {
      history: { url: `file://${this.folder}/history` },
      ...this.#settings,
      database: {
        postgres_url: `embedded://${this.folder}/pg`,
        ...(this.#settings['database'] as Settings | undefined),
      },
    };
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({ correlation_engine: settings }), { mode: 0o600 });
    return file;
  }

  #logger(): Logger {
    const keep = (level: string) => (facts: unknown, message?: string) => {
      this.lines.push({ level, message: message ?? facts, ...(typeof facts === 'object' ? facts : {}) });
    };
    const levels = ['debug', 'info', 'warn', 'error', 'fatal'].map((level) => [level, keep(level)] as const);
    return Object.assign(silentLogger(), Object.fromEntries(levels));
  }
}
