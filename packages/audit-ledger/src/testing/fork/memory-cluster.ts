/**
 * A model of the cluster as the `scylla` backend uses it: rows with timestamps, of which the latest wins, and lightweight
 * transactions that are linearisable but whose outcome may stay unknown. A write without an answer may arrive much later. A
 * transaction without an answer is finished, or dropped, by whichever transaction or serial read comes next (Paxos).
 */
import { SentinelError } from '@sentinel/service-kit/errors';
import type { types } from 'cassandra-driver';
import type { Cluster, Statement } from '../../storage/scylla/cluster.js';
import { below, type Random } from '../random.js';
import { columnsOf, parseCql, type Query } from './cql.js';
import type { Process } from './turns.js';

/** Columns of each primary key; rows come in the order of the key. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  heads: ['log'],
  leaves: ['log', 'bucket', 'first_seq', 'epoch', 'batch_id'],
  details: ['log', 'bucket', 'first_seq', 'epoch', 'batch_id'],
  hashes: ['log', 'level', 'bucket', 'first', 'epoch'],
  marks: ['log', 'bucket', 'commit_no', 'epoch'],
  blocks: ['log', 'block'],
  event_ids: ['log', 'block'],
  checkpoints: ['log', 'epoch'],
  rollback_guard: ['log', 'epoch'],
};
/** Not copied with the log. */
const SECOND_PLACE = 'rollback_guard';
/** Later than every size that a statement gives as its timestamp. */
const FIRST_TIMESTAMP = 2 ** 51;

export type Value = string | number | Buffer;
type Columns = Readonly<Record<string, Value>>;

interface Cell {
  readonly columns: Columns;
  readonly timestamp: number;
  readonly deleted: boolean;
}

type Tables = Map<string, Map<string, Cell>>;
type Row = types.Row;

export class MemoryCluster {
  readonly #random: Random;
  #tables: Tables = new Map();
  #timestamp = FIRST_TIMESTAMP;
  /** Writes under way that nobody waits for any more. */
  #late: (() => void)[] = [];
  /** A lightweight transaction that was proposed, and may or may not be chosen. */
  #proposed: (() => void) | undefined;

  constructor(random: Random) {
    this.#random = random;
  }

  /** The cluster as one process reaches it. */
  view(process: Process): Cluster {
    const read = async (query: string, params: unknown[]): Promise<Row[]> => {
      if ((await process.turn()) !== 'done') throw away();
      this.#arrive();
      return this.#select(parseCql(query, params));
    };
    const write = async ({ query, params }: Statement): Promise<void> => await this.#write(process, query, params);
    const cluster = {
      rows: async function* (query: string, params: unknown[]) {
        yield* await read(query, params);
      },
      first: async (query: string, params: unknown[]) => (await read(query, params))[0],
      serial: async (query: string, params: unknown[]) => {
        const fate = await process.turn();
        this.#settle();
        if (fate !== 'done') throw away();
        return this.#select(parseCql(query, params))[0];
      },
      write: async (statements: readonly Statement[]) => {
        const failed = (await Promise.allSettled(statements.map(write))).some(({ status }) => status === 'rejected');
        if (failed) throw away();
      },
      swap: async (query: string, params: unknown[]) => await this.#swap(process, parseCql(query, params)),
      pause: async () => void (await process.turn()),
      close: () => Promise.resolve(),
    };
    return cluster as unknown as Cluster;
  }

  /** Entries of the log that the head speaks of. */
  size(): number {
    const [head] = [...this.#table('heads').values()];
    return Number(head?.columns['size'] ?? 0);
  }

  /** Notes of the rollback guard. */
  secondPlace(): string[] {
    return [...this.#table(SECOND_PLACE).values()]
      .filter(({ deleted }) => !deleted)
      .map(({ columns }) => String(columns['note']));
  }

  copy(): () => void {
    const copied = clone(this.#tables);
    return () => {
      const guard = this.#tables.get(SECOND_PLACE);
      this.#tables = clone(copied);
      if (guard !== undefined) this.#tables.set(SECOND_PLACE, guard);
    };
  }

  async #write(process: Process, text: string, params: readonly unknown[]): Promise<void> {
    const query = parseCql(text, params);
    const timestamp = query.timestamp ?? this.#now();
    const fate = await process.turn();
    this.#arrive();
    if (fate === 'late') this.#late.push(() => this.#put(query, timestamp));
    if (fate === 'done' || fate === 'unheard') this.#put(query, timestamp);
    if (fate !== 'done') throw away();
  }

  async #swap(process: Process, query: Query): Promise<boolean> {
    const fate = await process.turn();
    this.#settle();
    if (fate === 'refused') throw away();
    const current = this.#table(query.table).get(keyOf(query.table, query.values));
    const holds = query.onlyNew
      ? current === undefined
      : current !== undefined && query.conditions.every(({ column, value }) => same(current.columns[column], value));
    const apply = (): void => this.#put(query, this.#now());
    if (holds && fate === 'late') this.#proposed = apply;
    if (holds && fate !== 'late') apply();
    if (fate !== 'done') throw away();
    return holds;
  }

  /** Writes of the past that arrive now. */
  #arrive(): void {
    this.#late = this.#late.filter((write) => {
      if (below(this.#random, 20) > 0) return true;
      write();
      return false;
    });
  }

  #settle(): void {
    this.#arrive();
    const proposed = this.#proposed;
    this.#proposed = undefined;
    if (below(this.#random, 2) === 0) proposed?.();
  }

  #put({ table, kind, values, where }: Query, timestamp: number): void {
    const rows = this.#table(table);
    if (kind === 'delete') {
      for (const [key, cell] of rows)
        if (where.every((each) => each.holds(cell.columns)) && cell.timestamp < timestamp)
          rows.set(key, { columns: cell.columns, timestamp, deleted: true });
      return;
    }
    const key = keyOf(table, values);
    const before = rows.get(key);
    if (before !== undefined && before.timestamp > timestamp) return;
    const columns = before === undefined || before.deleted ? values : { ...before.columns, ...values };
    rows.set(key, { columns, timestamp, deleted: false });
  }

  #select({ table, where, columns }: Query): Row[] {
    const found = [...this.#table(table).values()].filter(
      (cell) => !cell.deleted && where.every((each) => each.holds(cell.columns)),
    );
    const order = KEYS[table] ?? [];
    return found
      .map((cell) => cell.columns)
      .sort((a, b) => order.reduce((so, name) => (so === 0 ? compare(a[name], b[name]) : so), 0))
      .map((row) => columnsOf(row, columns));
  }

  #table(name: string): Map<string, Cell> {
    const known = this.#tables.get(name) ?? new Map<string, Cell>();
    this.#tables.set(name, known);
    return known;
  }

  #now(): number {
    this.#timestamp += 1;
    return this.#timestamp;
  }
}

function keyOf(table: string, values: Columns): string {
  const names = KEYS[table];
  if (names === undefined) throw new Error(`the model knows no table ${table}`);
  return names.map((name) => textOf(values[name])).join(' ');
}

function clone(tables: Tables): Tables {
  return new Map([...tables].map(([name, rows]) => [name, new Map(rows)]));
}

function same(a: Value | undefined, b: Value): boolean {
  return textOf(a) === textOf(b);
}

function compare(a: Value | undefined, b: Value | undefined): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return textOf(a) < textOf(b) ? -1 : Number(textOf(a) > textOf(b));
}

function textOf(value: Value | undefined): string {
  return Buffer.isBuffer(value) ? value.toString('hex') : String(value);
}

function away(): SentinelError {
  return new SentinelError({ code: 'UNAVAILABLE', message: 'the cluster is away' });
}
