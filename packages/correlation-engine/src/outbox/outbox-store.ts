import { type Kysely, sql } from 'kysely';
import type { OutboxTable, Tables } from '../store/schema.js';

/** A numbered row, ready to be sent. */
export type NumberedRow = OutboxTable & { number: number; relay_epoch: number };

export interface RelayState {
  /** Tells this database from others that fed the same ledger. */
  readonly instance: string;
  readonly epoch: number;
  /** Newest checkpoint that the ledger gave; '' = none yet. */
  readonly checkpoint: string;
}

/** The relay's side of the outbox. Rows get their number after their commit, and keep it whatever happens to the sending. */
export class OutboxStore {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  /** A relay that starts is a new owner: it raises the epoch. Numbers go on. */
  async takeOver(): Promise<RelayState> {
    const { rows } =
      await sql<RelayState>`update relay set epoch = epoch + 1 returning instance, epoch, checkpoint`.execute(this.#db);
    const [state] = rows;
    if (state === undefined) throw new Error('the table relay has lost its row');
    return state;
  }

  async pending(): Promise<number> {
    const { rows } = await sql<{ count: number }>`select count(*) as count from outbox`.execute(this.#db);
    return rows[0]?.count ?? 0;
  }

  /**
   * The oldest rows to send, numbered without a gap in commit order. All of one answer have the same epoch and consecutive
   * numbers, because that is what one request to the ledger can say.
   */
  async next(epoch: number, limit: number): Promise<NumberedRow[]> {
    const numbered = await this.#numbered(limit);
    if (numbered.length > 0) return numbered;
    await this.#number(epoch, limit);
    return this.#numbered(limit);
  }

  async #numbered(limit: number): Promise<NumberedRow[]> {
    const { rows } =
      await sql<NumberedRow>`select * from outbox where number is not null order by number limit ${limit}`.execute(
        this.#db,
      );
    const end = rows.findIndex(
      (row, i) => row.relay_epoch !== rows[0]?.relay_epoch || row.number !== (rows[0]?.number ?? 0) + i,
    );
    return end < 0 ? rows : rows.slice(0, end);
  }

  async #number(epoch: number, limit: number): Promise<void> {
    await sql`
      with last as (select last_number from relay for update),
      fresh as (
        select commit_seq, ordinal, row_number() over (order by commit_seq, ordinal) as place
        from (select commit_seq, ordinal from outbox where number is null order by commit_seq, ordinal limit ${limit}) oldest),
      numbered as (
        update outbox o set number = last.last_number + fresh.place, relay_epoch = ${epoch}
        from fresh, last where o.commit_seq = fresh.commit_seq and o.ordinal = fresh.ordinal returning o.number)
      update relay set last_number = greatest(last_number, (select max(number) from numbered))
        where exists (select from numbered)`.execute(this.#db);
  }

  /** The ledger has them: transitions learn their place in it, and the rows are done. */
  async acknowledge(rows: readonly NumberedRow[], seqs: readonly number[], checkpoint: string): Promise<void> {
    const done = JSON.stringify(rows.map((row, i) => ({ event_id: row.event_id, seq: seqs[i] })));
    await sql`
      with done as (select * from json_to_recordset(${done}::json) as t(event_id text, seq bigint)),
      told as (update transitions t set ledger_seq = done.seq from done where t.event_id = done.event_id),
      noted as (update relay set checkpoint = ${checkpoint})
      delete from outbox using done where outbox.event_id = done.event_id`.execute(this.#db);
  }
}
