import { readFileSync } from 'node:fs';
import { folderOf } from '@sentinel/service-kit/config';
import type { Logger } from '@sentinel/service-kit/logging';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { EmbeddedPostgres } from './embedded/postmaster.js';
import type { Tables } from './schema.js';

export interface DatabaseOptions {
  /** postgres://… or embedded://DIR */
  readonly url: string;
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
  readonly sslmode: 'disable' | 'require' | 'verify-ca' | 'verify-full';
  /** PEM; empty = the system's authorities. */
  readonly caFile: string;
}

/** A statement that takes longer is given up, so that a stuck server shows as one that is away. */
const STATEMENT_TIMEOUT_MS = 30_000;
const INT8_OID = 20;
const INT8_ARRAY_OID = 1016;

/** Every bigint of ours is a count, a sequence, microseconds or an unsigned 32-bit word: below 2^53. */
function parseBigint(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is beyond the safe integers`);
  return value;
}

const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === INT8_OID) return parseBigint;
    if (oid === INT8_ARRAY_OID)
      return (text: string) => (text === '{}' ? [] : text.slice(1, -1).split(',').map(parseBigint));
    return pg.types.getTypeParser(oid, format === 'binary' ? 'text' : format);
  }) as typeof pg.types.getTypeParser,
};

/** Where the state lives, embedded or not: makes connections, and makes sure that there is a server to connect to. */
export class Database {
  readonly #options: DatabaseOptions;
  readonly #embedded: EmbeddedPostgres | null;

  constructor(options: DatabaseOptions, log: Logger) {
    this.#options = options;
    const dir = folderOf(options.url);
    this.#embedded = dir === undefined ? null : new EmbeddedPostgres(dir, log);
  }

  /**
   * Of the embedded server; a server of the operator's is the operator's to start.
   * @returns whether this call started it
   */
  async ensureRunning(): Promise<boolean> {
    return (await this.#embedded?.ensureRunning()) ?? false;
  }

  async stop(): Promise<void> {
    await this.#embedded?.stop();
  }

  /** Options of one connection. */
  get connection(): pg.ClientConfig {
    const { url, connectTimeoutMs } = this.#options;
    const common = {
      types,
      connectionTimeoutMillis: connectTimeoutMs,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      application_name: 'sentinel-correlation-engine',
      keepAlive: true,
    };
    return this.#embedded === null
      ? { connectionString: url, ssl: this.#ssl(), ...common }
      : { ...this.#embedded.connection, ...common };
  }

  /** A pool for everything but the writer of the log. */
  pool(onError: (error: Error) => void, max = this.#options.maxConnections): Kysely<Tables> {
    return this.#kysely({ max, idleTimeoutMillis: 60_000 }, onError);
  }

  /** One connection whose statements may take as long as they take: a step may fill a large table, or wait for another engine's. */
  forMigration(): Kysely<Tables> {
    return this.#kysely({ max: 1, statement_timeout: false }, () => {});
  }

  #kysely(settings: pg.PoolConfig, onError: (error: Error) => void): Kysely<Tables> {
    const pool = new pg.Pool({ ...this.connection, ...settings });
    pool.on('error', onError);
    // The pool listens to idle connections alone; one that is lost while it is lent out, between two statements, must not end the process.
    pool.on('connect', (client) => client.on('error', onError));
    return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  }

  #ssl(): pg.ClientConfig['ssl'] {
    const { sslmode, caFile } = this.#options;
    if (sslmode === 'disable') return false;
    const ca = caFile === '' ? {} : { ca: readFileSync(caFile) };
    if (sslmode === 'require') return { rejectUnauthorized: false };
    return {
      ...ca,
      rejectUnauthorized: true,
      ...(sslmode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
    };
  }
}
