import { closeCql } from '@sentinel/service-kit/cql/client';
import {
  type CqlConfig,
  connectCql,
  consistency,
  consistencyThatSees,
  makeKeyspace,
} from '@sentinel/service-kit/cql/connect';
import { cqlError } from '@sentinel/service-kit/cql/errors';
import { allRows, long } from '@sentinel/service-kit/cql/rows';
import { migrateUp } from '@sentinel/service-kit/cql/schema-steps';
import { type Client, concurrent } from 'cassandra-driver';
import type { HistoryRecord } from '../history-record.js';
import { type HistoryCursor, type HistoryEntry, type HistoryStore, parseCursor } from '../history-store.js';
import { HighWater } from '../segment-index.js';
import { mergeNewestFirst } from './merge.js';
import { dayOf, INSERT_RECORD, RECORD_COLUMNS, recordOf, recordRow } from './rows.js';
import { HISTORY_SCHEMA } from './schema.js';

const SECTION = 'correlation_engine';
/** Statements under way at once. */
const MAX_CONCURRENT = 64;
/** Rows of one answer: a record is a few kilobytes. */
const PAGE_ROWS = 100;
/** Days of devices that are known to be in the directory; all are forgotten when there are more, and written again. */
const MAX_SEEN = 500_000;
const SECONDS_PER_DAY = 86_400;
const MAX_DAY = 2 ** 31 - 1;

const INSERT_DEVICE_DAY = 'INSERT INTO device_days (device, day, node) VALUES (?, ?, ?) USING TTL ?';
const INSERT_DAY_NODE = 'INSERT INTO day_nodes (day, node) VALUES (?, ?) USING TTL ?';
const INSERT_SPOOL = 'INSERT INTO spools (node, spool_id, archived_through) VALUES (?, ?, ?) USING TIMESTAMP ?';
const SELECT_SPOOL = 'SELECT archived_through FROM spools WHERE node = ? AND spool_id = ?';
const SELECT_SPOOLS = 'SELECT node, spool_id, archived_through FROM spools';
const SELECT_DAYS = 'SELECT day, node FROM device_days WHERE device = ? AND day >= ? AND day <= ?';
const SELECT_RECORDS = `SELECT ${RECORD_COLUMNS} FROM records WHERE node = ? AND day = ? AND commit_seq <= ?`;

export interface ScyllaOptions {
  readonly cluster: CqlConfig;
  readonly retentionDays: number;
}

/** History in a ScyllaDB or Cassandra cluster. It may be away when this is made, and at any time afterwards. */
export class ScyllaHistory implements HistoryStore {
  readonly #options: ScyllaOptions;
  readonly #marks = new HighWater();
  readonly #seen = new Set<string>();
  #client: Promise<Client> | null = null;
  #closed = false;

  private constructor(options: ScyllaOptions) {
    this.#options = options;
  }

  /** Tries to connect; a cluster that is away is tried again when it is needed. @throws SentinelError where settings have to change */
  static async open(options: ScyllaOptions): Promise<ScyllaHistory> {
    const history = new ScyllaHistory(options);
    await history.#connected().catch((error: unknown) => {
      const failure = cqlError(error, SECTION);
      if (failure.code !== 'UNAVAILABLE') throw failure;
    });
    return history;
  }

  archivedThrough(node: string, spoolId: string): number | null {
    return this.#marks.of(node, spoolId);
  }

  async refresh(node: string, spoolId: string): Promise<void> {
    const before = this.#marks.of(node, spoolId);
    this.#marks.forget(node, spoolId);
    const rows = await this.#all(SELECT_SPOOL, [node, Buffer.from(spoolId, 'hex')]);
    const stored = Number(rows[0]?.archived_through ?? 0);
    // What was appended meanwhile counts too.
    this.#marks.raise(node, spoolId, Math.max(stored, before ?? 0));
  }

  async probe(): Promise<void> {
    await this.#all(`${SELECT_SPOOLS} LIMIT 1`, []);
  }

  async append(records: readonly HistoryRecord[]): Promise<void> {
    const ttl = this.#options.retentionDays * SECONDS_PER_DAY;
    await this.#write([
      // They are written at the beginning of a day, and outlive what is written at its end.
      ...this.#unseen(records).flatMap(({ day, node, device }) => [
        { query: INSERT_DAY_NODE, params: [day, node, ttl + SECONDS_PER_DAY] },
        ...(device === '' ? [] : [{ query: INSERT_DEVICE_DAY, params: [device, day, node, ttl + SECONDS_PER_DAY] }]),
      ]),
      ...records.map((record) => ({ query: INSERT_RECORD, params: recordRow(record, ttl) })),
    ]);
    // Only now: a mark says that everything below it is durable.
    const marks = new HighWater();
    for (const { node, spoolId, sequence } of records) marks.raise(node, spoolId, sequence);
    await this.#write(
      marks.list().map(([node, spoolId, sequence]) => ({
        query: INSERT_SPOOL,
        params: [node, Buffer.from(spoolId, 'hex'), long(sequence), long(sequence)],
      })),
    );
    for (const record of records) this.#remember(record);
    for (const [node, spoolId, sequence] of marks.list()) this.#marks.raise(node, spoolId, sequence);
  }

  async *read(device: string, startUs: number, from: HistoryCursor | null): AsyncGenerator<HistoryEntry> {
    const [lastDay = MAX_DAY, lastSeq = Number.MAX_SAFE_INTEGER] = from === null ? [] : parseCursor(from, CURSOR);
    const days = await this.#all(SELECT_DAYS, [device, dayOf(startUs), lastDay]);
    for (const [day, nodes] of byDay(days)) {
      const streams = nodes.map((node) => this.#records(node, day, lastSeq));
      for await (const record of mergeNewestFirst(streams)) {
        if (record.nowUs < startUs) break;
        if (record.devices.includes(device) && (await this.#isWhole(record)))
          yield { at: `c${day}.${record.commitSeq}`, record };
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const client = this.#client;
    this.#client = null;
    const connected = await client?.catch(() => null);
    if (connected != null) await closeCql(connected);
  }

  /** Above the mark of its spool some may not be written yet: a page that showed one would go past them. */
  async #isWhole({ node, spoolId, sequence }: HistoryRecord): Promise<boolean> {
    if (this.#marks.of(node, spoolId) === null) await this.refresh(node, spoolId);
    return sequence <= (this.#marks.of(node, spoolId) ?? 0);
  }

  /** Of one node and day, newest first, a page at a time. */
  async *#records(node: string, day: number, lastSeq: number): AsyncGenerator<HistoryRecord> {
    const rows = await this.#rows(SELECT_RECORDS, [node, day, long(lastSeq)], this.#readConsistency);
    try {
      for await (const row of rows) yield recordOf(row);
    } catch (error) {
      throw cqlError(error, SECTION);
    }
  }

  get #readConsistency(): number {
    return consistency(this.#options.cluster.read_consistency);
  }

  async #rows(query: string, params: unknown[], level: number) {
    try {
      return await (await this.#connected()).execute(query, params, { consistency: level, fetchSize: PAGE_ROWS });
    } catch (error) {
      throw cqlError(error, SECTION);
    }
  }

  async #all(query: string, params: unknown[]) {
    const rows = await this.#rows(query, params, consistencyThatSees(this.#options.cluster.write_consistency));
    return allRows(rows);
  }

  async #write(queries: { query: string; params: unknown[] }[]): Promise<void> {
    try {
      const client = await this.#connected();
      await concurrent.executeConcurrent(client, queries, { concurrencyLevel: MAX_CONCURRENT });
    } catch (error) {
      throw cqlError(error, SECTION);
    }
  }

  /** Directory rows that have to be there before a record can be found. */
  #unseen(records: readonly HistoryRecord[]): { day: number; node: string; device: string }[] {
    const fresh = new Map<string, { day: number; node: string; device: string }>();
    for (const record of records) {
      for (const device of devicesOf(record)) {
        const place = { day: dayOf(record.nowUs), node: record.node, device };
        const key = keyOf(place);
        if (!this.#seen.has(key)) fresh.set(key, place);
      }
    }
    return [...fresh.values()];
  }

  #remember(record: HistoryRecord): void {
    if (this.#seen.size >= MAX_SEEN) this.#seen.clear();
    const day = dayOf(record.nowUs);
    for (const device of devicesOf(record)) this.#seen.add(keyOf({ day, node: record.node, device }));
  }

  /** The one connection; after a failure the next caller tries again. */
  #connected(): Promise<Client> {
    if (this.#closed) return Promise.reject(new Error('the history is closed'));
    this.#client ??= this.#connect().catch((error: unknown) => {
      this.#client = null;
      throw error;
    });
    return this.#client;
  }

  async #connect(): Promise<Client> {
    const { cluster } = this.#options;
    await makeKeyspace(cluster, SECTION);
    const client = await connectCql(cluster, SECTION);
    try {
      await migrateUp(client, HISTORY_SCHEMA);
      const level = { consistency: consistencyThatSees(cluster.write_consistency), fetchSize: 1000 };
      for await (const row of await client.execute(SELECT_SPOOLS, [], level))
        this.#marks.raise(row.node as string, (row.spool_id as Buffer).toString('hex'), Number(row.archived_through));
      return client;
    } catch (error) {
      await closeCql(client);
      throw error;
    }
  }
}

const CURSOR = /^c(\d{1,10})\.(\d{1,16})$/;

/** A record without a device is in the directory of its day all the same. */
function devicesOf({ devices }: HistoryRecord): readonly string[] {
  return devices.length === 0 ? [''] : devices;
}

function keyOf({ day, node, device }: { day: number; node: string; device: string }): string {
  return `${day}\n${node}\n${device}`;
}

function byDay(rows: readonly { [name: string]: unknown }[]): Map<number, string[]> {
  const days = new Map<number, string[]>();
  for (const row of rows) {
    const day = row.day as number;
    const nodes = days.get(day);
    if (nodes === undefined) days.set(day, [row.node as string]);
    else nodes.push(row.node as string);
  }
  return days;
}
