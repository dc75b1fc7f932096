/** The connection of a ledger to its cluster: what a write must be confirmed by and a read must see. Failures are SentinelErrors. */
import { setTimeout as delay } from 'node:timers/promises';
import { closeCql } from '@sentinel/service-kit/cql/client';
import { type CqlConfig, connectCql, consistency } from '@sentinel/service-kit/cql/connect';
import { cqlError } from '@sentinel/service-kit/cql/errors';
import type { SentinelError } from '@sentinel/service-kit/errors';
import { type Client, concurrent, types } from 'cassandra-driver';

/** Whose settings a failure names. */
export const SECTION = 'audit_ledger.storage';
/** Statements under way at once. */
const MAX_CONCURRENT = 64;
/** Rows of one answer: each is up to 50 KB of leaves. */
const PAGE_ROWS = 128;

export interface Statement {
  readonly query: string;
  readonly params: unknown[];
}

export class Cluster {
  readonly #client: Client;
  readonly #read: types.consistencies;
  readonly #write: types.consistencies;

  constructor(client: Client, config: CqlConfig) {
    this.#client = client;
    this.#read = consistency(config.read_consistency);
    this.#write = consistency(config.write_consistency);
  }

  /** @throws SentinelError UNAVAILABLE, or FAILED_PRECONDITION naming the key to correct */
  static async connect(config: CqlConfig): Promise<Cluster> {
    return new Cluster(await connectCql(config, SECTION), config);
  }

  /** The connection itself, for the schema. */
  get client(): Client {
    return this.#client;
  }

  /** All of them, at once as far as that goes. After a failure some may be there, and the rest may come. */
  async write(statements: readonly Statement[]): Promise<void> {
    const options = { concurrencyLevel: MAX_CONCURRENT };
    await told(
      concurrent.executeConcurrent(this.#client, statements as { query: string; params: unknown[] }[], options),
    );
  }

  /** Page by page. */
  async *rows(query: string, params: unknown[]): AsyncGenerator<types.Row> {
    const options = { consistency: this.#read, fetchSize: PAGE_ROWS };
    try {
      for await (const row of await this.#client.execute(query, params, options)) yield row;
    } catch (error) {
      throw explain(error);
    }
  }

  async first(query: string, params: unknown[]): Promise<types.Row | undefined> {
    return (await told(this.#client.execute(query, params, { consistency: this.#read }))).first() ?? undefined;
  }

  /** Sees every lightweight transaction that succeeded, and settles those under way. */
  async serial(query: string, params: unknown[]): Promise<types.Row | undefined> {
    const options = { consistency: types.consistencies.serial };
    return (await told(this.#client.execute(query, params, options))).first() ?? undefined;
  }

  /** A lightweight transaction, serial across data centres: two of them must never commit beside each other. Never repeated by the driver. @returns whether it was applied */
  async swap(query: string, params: unknown[]): Promise<boolean> {
    const serialConsistency = types.consistencies.serial;
    const options = { consistency: this.#write, serialConsistency, isIdempotent: false };
    return (await told(this.#client.execute(query, params, options))).wasApplied();
  }

  /** Waits before something is tried again. @throws AbortError once the signal is given */
  async pause(ms: number, signal?: AbortSignal): Promise<void> {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  }

  async close(): Promise<void> {
    await closeCql(this.#client);
  }
}

export function explain(failure: unknown): SentinelError {
  return cqlError(failure, SECTION);
}

async function told<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw explain(error);
  }
}
