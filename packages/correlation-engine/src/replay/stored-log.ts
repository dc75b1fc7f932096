import { type Kysely, sql } from 'kysely';
import type { OutboxRow } from '../store/commit-rows.js';
import type { FleetDirectiveTable, ObservationTable, OrderTable, Tables, TransitionTable } from '../store/schema.js';
import type { LogEntry } from './read-log.js';

/** Rows read at once. */
const PAGE_ROWS = 1_000;

type LogTable = 'records' | 'transitions' | 'observations' | 'orders' | 'fleet_directives' | 'outbox';

/** Inside a transaction: the table as it stood when that began, after a record. */
async function* inOrder<T extends LogTable>(db: Kysely<Tables>, table: T, after: number): AsyncGenerator<Tables[T]> {
  const cursor = sql.id(`replay_${table}`);
  await sql`declare ${cursor} no scroll cursor for select * from ${sql.table(table)}
    where commit_seq > ${sql.lit(after)} order by commit_seq`.execute(db);
  for (;;) {
    const { rows } = await sql<Tables[T]>`fetch ${sql.lit(PAGE_ROWS)} from ${cursor}`.execute(db);
    yield* rows;
    if (rows.length < PAGE_ROWS) return;
  }
}

export async function* storedRecords(db: Kysely<Tables>, after: number): AsyncGenerator<LogEntry> {
  for await (const row of inOrder(db, 'records', after)) {
    yield { commitSeq: row.commit_seq, nowUs: row.now_us, record: row.body as LogEntry['record'] };
  }
}

/** What one record decided, as rows. */
export interface Decisions {
  transitions: Omit<TransitionTable, 'ledger_seq'>[];
  observations: ObservationTable[];
  orders: OrderTable[];
  /** Of the stored ones those that are young enough to be kept. */
  directives: FleetDirectiveTable[];
  /** Of the stored ones those that the ledger does not have yet: what it took is deleted. */
  events: OutboxRow[];
}

/** What was decided when the log was written, after a record. Ask in rising order of commit_seq. */
export class StoredDecisions {
  readonly #transitions: BySeq<TransitionTable>;
  readonly #observations: BySeq<ObservationTable>;
  readonly #orders: BySeq<OrderTable>;
  readonly #directives: BySeq<FleetDirectiveTable>;
  readonly #events: BySeq<Tables['outbox']>;

  constructor(db: Kysely<Tables>, after: number) {
    this.#transitions = new BySeq(inOrder(db, 'transitions', after));
    this.#observations = new BySeq(inOrder(db, 'observations', after));
    this.#orders = new BySeq(inOrder(db, 'orders', after));
    this.#directives = new BySeq(inOrder(db, 'fleet_directives', after));
    this.#events = new BySeq(inOrder(db, 'outbox', after));
  }

  async of(commitSeq: number): Promise<Decisions> {
    return {
      transitions: (await this.#transitions.of(commitSeq)).map((row) => without(row, 'ledger_seq')),
      observations: await this.#observations.of(commitSeq),
      orders: await this.#orders.of(commitSeq),
      directives: await this.#directives.of(commitSeq),
      events: (await this.#events.of(commitSeq)).map((row) => without(row, 'number', 'relay_epoch')),
    };
  }
}

/** The rows of one record at a time, of rows in order. */
class BySeq<Row extends { commit_seq: number }> {
  readonly #rows: AsyncIterator<Row>;
  #next: IteratorResult<Row> | undefined;

  constructor(rows: AsyncIterable<Row>) {
    this.#rows = rows[Symbol.asyncIterator]();
  }

  async of(commitSeq: number): Promise<Row[]> {
    const found: Row[] = [];
    this.#next ??= await this.#rows.next();
    while (this.#next.done !== true && this.#next.value.commit_seq <= commitSeq) {
      found.push(this.#next.value);
      this.#next = await this.#rows.next();
    }
    return found;
  }
}

function without<T extends object, K extends keyof T>(row: T, ...columns: K[]): Omit<T, K> {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !columns.includes(name as K))) as Omit<T, K>;
}
