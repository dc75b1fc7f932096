import { type Kysely, sql } from 'kysely';
import type { OutboxTable, Tables } from '../store/schema.js';
import { SupersededError } from '../store/state-store.js';

/** A forked ledger gives a new checkpoint with every try: the oldest evidence gives way. */
const MAX_EVIDENCE = 1000;

/** A numbered row, ready to be sent. */
export type NumberedRow = OutboxTable & { number: number; relay_epoch: number };

export interface RelayState {
  /** Tells this database from others that fed the same ledger. */
  readonly instance: string;
  readonly epoch: number;
  /** Newest checkpoint that the ledger gave; '' = none yet. */
  readonly checkpoint: string;
}

/**
 * The relay's side of the outbox. Rows get their number after their commit, and keep it whatever happens to the sending. A relay
 * whose engine lost the lead may go on for a while without knowing it: each statement asks for its epoch.
 */
export class OutboxStore {
  readonly #db: Kysely<Tables>;
  readonly #leaderEpoch: () => number;

  /** @param leaderEpoch of the engine's right to write, as it is now */
  constructor(db: Kysely<Tables>, leaderEpoch: () => number) {
    this.#db = db;
    this.#leaderEpoch = leaderEpoch;
  }

  /**
   * A relay that starts is a new owner: it raises the epoch. Numbers go on.
   * @throws SupersededError where another engine leads
   */
  async takeOver(): Promise<RelayState> {
    const { rows } = await sql<RelayState>`update relay set epoch = relay.epoch + 1
      from leader where leader.epoch = ${this.#leaderEpoch()} returning instance, relay.epoch, checkpoint`.execute(
      this.#db,
    );
    const [state] = rows;
    if (state === undefined) throw new SupersededError();
    return state;
  }

  async pending(): Promise<number> {
    const { rows } = await sql<{ count: number }>`select count(*) as count from outbox`.execute(this.#db);
    return rows[0]?.count ?? 0;
  }

  /**
   * The oldest rows to send, numbered without a gap in commit order. All of one answer have the same epoch and consecutive
   * numbers, because that is what one request to the ledger can say.
   * @throws SupersededError where another relay has taken over
   */
  async next(epoch: number, limit: number): Promise<NumberedRow[]> {
    const numbered = await this.#numbered(epoch, limit);
    if (numbered.length > 0) return numbered;
    await this.#number(epoch, limit);
    return this.#numbered(epoch, limit);
  }

  async #numbered(epoch: number, limit: number): Promise<NumberedRow[]> {
    const { rows } = await sql<NumberedRow>`select * from outbox
      where number is not null and exists (select from relay where epoch = ${epoch})
      order by number limit ${limit}`.execute(this.#db);
    const end = rows.findIndex(
      (row, i) => row.relay_epoch !== rows[0]?.relay_epoch || row.number !== (rows[0]?.number ?? 0) + i,
    );
    return end < 0 ? rows : rows.slice(0, end);
  }

  /** The lock comes first, in a statement of its own: what is read after it shows all that whoever had it before has numbered. */
  #number(epoch: number, limit: number): Promise<void> {
    return this.#db.transaction().execute(async (db) => {
      const { rows } = await sql<{
        last_number: number;
      }>`select last_number from relay where epoch = ${epoch} for update`.execute(db);
      const [last] = rows;
      if (last === undefined) throw new SupersededError();
      await sql`
        with fresh as (
          select commit_seq, ordinal, row_number() over (order by commit_seq, ordinal) as place
          from (select commit_seq, ordinal from outbox where number is null order by commit_seq, ordinal limit ${limit}) oldest),
        numbered as (
          update outbox o set number = ${last.last_number} + fresh.place, relay_epoch = ${epoch}
          from fresh where o.commit_seq = fresh.commit_seq and o.ordinal = fresh.ordinal returning o.number)
        update relay set last_number = (select max(number) from numbered) where exists (select from numbered)`.execute(
        db,
      );
    });
  }

  /** Two checkpoints that contradict each other, kept once, for ever; the newest so many. */
  async keepEvidence(first: string, second: string, what: string): Promise<void> {
    await sql`with kept as (insert into ledger_evidence (first, second, what) values (${first}, ${second}, ${what})
        on conflict do nothing returning id)
      delete from ledger_evidence where id <= (select max(id) - ${MAX_EVIDENCE} from kept)`.execute(this.#db);
  }

  /**
   * The ledger has them: transitions learn their place in it, and the rows are done.
   * @throws SupersededError where another relay has taken over, which delivers them again
   */
  async acknowledge(
    epoch: number,
    rows: readonly NumberedRow[],
    seqs: readonly number[],
    checkpoint: string,
  ): Promise<void> {
    const events = JSON.stringify(rows.map((row, i) => ({ event_id: row.event_id, seq: seqs[i] })));
    const { rows: noted } = await sql`
      with noted as (update relay set checkpoint = ${checkpoint} where epoch = ${epoch} returning id),
      done as (select t.* from noted, json_to_recordset(${events}::json) as t(event_id text, seq bigint)),
      told as (update transitions t set ledger_seq = done.seq from done where t.event_id = done.event_id),
      gone as (delete from outbox using done where outbox.event_id = done.event_id)
      select id from noted`.execute(this.#db);
    if (noted.length === 0) throw new SupersededError();
  }
}
