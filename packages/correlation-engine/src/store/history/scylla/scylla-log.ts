import { closeCql } from '@sentinel/service-kit/cql/client';
import { type CqlConfig, connectCql, consistencyThatSees } from '@sentinel/service-kit/cql/connect';
import { cqlError } from '@sentinel/service-kit/cql/errors';
import { allRows, long } from '@sentinel/service-kit/cql/rows';
import type { Client } from 'cassandra-driver';
import type { HistoryRecord } from '../history-record.js';
import type { HistoryLog } from '../history-store.js';
import { RECORD_COLUMNS, recordOf } from './rows.js';

const SECTION = 'correlation_engine';
/** Records in memory at once, of all nodes together, and of one node at least and at most. */
const MAX_RECORDS = 20_000;
const MIN_PAGE = 4;
const MAX_PAGE = 500;
/** Queries under way at once. */
const MAX_CONCURRENT = 32;

const SELECT_DAYS = 'SELECT DISTINCT day FROM day_nodes';
const SELECT_NODES = 'SELECT node FROM day_nodes WHERE day = ?';
const SELECT_AFTER = `SELECT ${RECORD_COLUMNS} FROM records WHERE node = ? AND day = ? AND (commit_seq, spool_id, sequence) > (?, ?, ?)
  ORDER BY commit_seq ASC, spool_id ASC, sequence ASC LIMIT ?`;

/** One node's records of one day. */
interface Source {
  readonly node: string;
  readonly day: number;
  /** Read and not given out yet, oldest first. */
  waiting: HistoryRecord[];
  /** The newest that was read. */
  last: HistoryRecord | null;
  /** There was nothing more when it was read last. */
  atEnd: boolean;
}

/** Reads the history of a cluster from the oldest day on, also while engines append to it, and writes nothing. */
export class ScyllaLog implements HistoryLog {
  readonly #cluster: CqlConfig;
  #client: Client | null = null;
  /** Of the day that is being read and of the one before, of which something may be archived late. */
  #sources: Source[] = [];

  constructor(cluster: CqlConfig) {
    this.#cluster = cluster;
  }

  /** @throws SentinelError where the cluster is away or has no history */
  async next(): Promise<HistoryRecord[]> {
    await this.#fill();
    if (this.#isEmpty() && (await this.#goOn())) return this.next();
    return this.#take();
  }

  async close(): Promise<void> {
    if (this.#client !== null) await closeCql(this.#client);
    this.#client = null;
  }

  #isEmpty(): boolean {
    return this.#sources.every(({ waiting }) => waiting.length === 0);
  }

  /** Nothing waits: to the next day, or once more through the newest ones. @returns false where there is nothing new */
  async #goOn(): Promise<boolean> {
    const newest = Math.max(-1, ...this.#sources.map(({ day }) => day));
    const days = (await this.#query(SELECT_DAYS, [])).map((row) => row.day as number).sort((a, b) => a - b);
    const next = days.find((day) => day > newest);
    if (next !== undefined) {
      this.#sources = this.#sources.filter(({ day }) => day === newest);
      await this.#open(next);
    }
    for (const day of new Set(this.#sources.map((source) => source.day))) await this.#open(day);
    for (const source of this.#sources) source.atEnd = false;
    await this.#fill();
    return next !== undefined || !this.#isEmpty();
  }

  /** Adds the day's nodes that are not known yet. */
  async #open(day: number): Promise<void> {
    const known = new Set(this.#sources.filter((source) => source.day === day).map(({ node }) => node));
    for (const row of await this.#query(SELECT_NODES, [day])) {
      const node = row.node as string;
      if (!known.has(node)) this.#sources.push({ node, day, waiting: [], last: null, atEnd: false });
    }
  }

  async #fill(): Promise<void> {
    const hungry = this.#sources.filter(({ waiting, atEnd }) => waiting.length === 0 && !atEnd);
    const page = Math.min(MAX_PAGE, Math.max(MIN_PAGE, Math.floor(MAX_RECORDS / Math.max(1, this.#sources.length))));
    for (let i = 0; i < hungry.length; i += MAX_CONCURRENT)
      await Promise.all(hungry.slice(i, i + MAX_CONCURRENT).map((source) => this.#read(source, page)));
  }

  async #read(source: Source, page: number): Promise<void> {
    const { node, day, last } = source;
    const after = [long(last?.commitSeq ?? -1), Buffer.from(last?.spoolId ?? '', 'hex'), long(last?.sequence ?? -1)];
    source.waiting = (await this.#query(SELECT_AFTER, [node, day, ...after, page])).map(recordOf);
    source.last = source.waiting.at(-1) ?? last;
    source.atEnd = source.waiting.length < page;
  }

  /** What waits, up to where every node was read. */
  #take(): HistoryRecord[] {
    const unread = this.#sources.filter(({ atEnd }) => !atEnd).map(({ last }) => last?.commitSeq ?? -1);
    const upTo = Math.min(Number.POSITIVE_INFINITY, ...unread);
    const taken = this.#sources.flatMap((source) => {
      const at = source.waiting.findIndex(({ commitSeq }) => commitSeq > upTo);
      return source.waiting.splice(0, at < 0 ? source.waiting.length : at);
    });
    return taken.sort((a, b) => a.commitSeq - b.commitSeq);
  }

  async #query(query: string, params: unknown[]) {
    this.#client ??= await connectCql(this.#cluster, SECTION);
    try {
      const level = consistencyThatSees(this.#cluster.write_consistency);
      const rows = await this.#client.execute(query, params, { consistency: level, fetchSize: MAX_PAGE });
      return await allRows(rows);
    } catch (error) {
      throw cqlError(error, SECTION);
    }
  }
}
