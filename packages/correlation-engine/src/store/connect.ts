import { readFileSync } from 'node:fs';
import { folderOf } from '@sentinel/service-kit/config';
import type { SentinelError } from '@sentinel/service-kit/errors';
import type { Logger } from '@sentinel/service-kit/logging';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { expectAnswers } from './answers.js';
import { databaseError, type Place } from './database-error.js';
import { EmbeddedPostgres } from './embedded/postmaster.js';
import { Lease } from './lease.js';
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

/** Of one connection; what takes longer is given up, so that a stuck server shows as one that is away. */
export interface Timeouts {
  readonly statementMs: number;
  /** A statement of the connection that writes: another replica is to lead within ten seconds where it does not go on. */
  readonly writeMs: number;
  /** How much later than the limit of a statement its answer may come. */
  readonly answerGraceMs: number;
  /** Waiting for a lock that another connection has. */
  readonly lockMs: number;
  /** A transaction in which nothing is asked: of an engine that stands still, whose locks others wait for. */
  readonly idleInTransactionMs: number;
  /** A leader that did not renew its lease for so long is taken to be gone, by PostgreSQL's clock. */
  readonly leaseMs: number;
}

export const LEASE_MS = 3_000;
export const TIMEOUTS: Timeouts = {
  statementMs: 30_000,
  writeMs: 6_000,
  answerGraceMs: 1_000,
  lockMs: 5_000,
  idleInTransactionMs: 30_000,
  leaseMs: LEASE_MS,
};
/** What tells the engine's connections from others. */
const APPLICATION = 'sentinel-correlation-engine';
const DEFAULT_PORT = '5432';
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

/** How the writer of the log connects. */
export interface Writing {
  readonly config: pg.ClientConfig;
  /** Limit of an answer. */
  readonly answerMs: number;
  readonly leaseMs: number;
}

/** Where the state lives, embedded or not: makes connections, and makes sure that there is a server to connect to. */
export class Database {
  readonly #options: DatabaseOptions;
  readonly #timeouts: Timeouts;
  readonly #embedded: EmbeddedPostgres | null;

  constructor(options: DatabaseOptions, log: Logger, timeouts: Timeouts = TIMEOUTS) {
    this.#options = options;
    this.#timeouts = timeouts;
    const dir = folderOf(options.url);
    this.#embedded = dir === undefined ? null : new EmbeddedPostgres(dir, log);
  }

  /** It runs elsewhere, and is the operator's to start. */
  get isServer(): boolean {
    return this.#embedded === null;
  }

  /** Any failure of its connections, in words that name it and the setting to change. */
  explain(failure: unknown): SentinelError {
    return databaseError(failure, this.#place());
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
      statement_timeout: this.#timeouts.statementMs,
      lock_timeout: this.#timeouts.lockMs,
      idle_in_transaction_session_timeout: this.#timeouts.idleInTransactionMs,
      application_name: APPLICATION,
      keepAlive: true,
    };
    return this.#embedded === null
      ? { connectionString: url, ssl: this.#ssl(), ...common }
      : { ...this.#embedded.connection, ...common };
  }

  /** Of the connection that writes the log. */
  get writing(): Writing {
    const { writeMs, answerGraceMs, leaseMs } = this.#timeouts;
    return { config: { ...this.connection, statement_timeout: writeMs }, answerMs: writeMs + answerGraceMs, leaseMs };
  }

  /** A pool for everything but the writer of the log. */
  pool(onError: (error: Error) => void, max = this.#options.maxConnections): Kysely<Tables> {
    const { statementMs, answerGraceMs } = this.#timeouts;
    return this.#kysely({ max, idleTimeoutMillis: 60_000 }, onError, statementMs + answerGraceMs);
  }

  /** The leader's row, over a connection of its own. A renewal that is not answered shows before the lease is over. */
  lease(onError: (error: Error) => void): Lease {
    const { leaseMs } = this.#timeouts;
    const answerMs = (leaseMs * 2) / 3;
    const settings = { max: 1, statement_timeout: answerMs, connectionTimeoutMillis: answerMs };
    return new Lease(this.#kysely(settings, onError, answerMs), leaseMs);
  }

  /** One connection whose statements may take as long as they take: a step may fill a large table, or wait for another engine's. */
  forMigration(): Kysely<Tables> {
    const patient = { statement_timeout: false, lock_timeout: 0, idle_in_transaction_session_timeout: 0 } as const;
    return this.#kysely({ max: 1, ...patient }, () => {});
  }

  #place(): Place {
    const { url, connectTimeoutMs } = this.#options;
    if (this.#embedded !== null) {
      const { host, user: role, database } = this.#embedded.connection;
      return { where: url, host, role, database, connectTimeoutMs };
    }
    const { hostname: host, port, username, pathname } = new URL(url);
    const role = decodeURIComponent(username);
    const database = decodeURIComponent(pathname.slice(1)) || role;
    return { where: `${host}:${port || DEFAULT_PORT}`, host, role, database, connectTimeoutMs };
  }

  /** @param answerMs limit of an answer; none where it may take as long as it takes */
  #kysely(settings: pg.PoolConfig, onError: (error: Error) => void, answerMs?: number): Kysely<Tables> {
    const pool = new pg.Pool({ ...this.connection, ...settings });
    pool.on('error', onError);
    // The pool listens to idle connections alone; one that is lost while it is lent out, between two statements, must not end the process.
    pool.on('connect', (client) => {
      client.on('error', onError);
      if (answerMs !== undefined) expectAnswers(client, () => answerMs);
    });
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
