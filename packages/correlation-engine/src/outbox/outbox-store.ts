import { type Kysely, sql } from 'kysely';
import type { OutboxTable, Tables } from '../store/schema.js';
import { SupersededError } from '../store/state-store.js';

/** A forked ledger gives a new checkpoint with every try: the oldest evidence gives way. */
const MAX_EVIDENCE = 1000;

/**
 * The newest entries of the ledger whose events are kept after it took them: a ledger that loses more has lost them. With details of
 * 1 KB about 20 MB.
 */
const KEPT_ENTRIES = 20_000;
/** The ledger knows the ids of events for 7 days: only so long what is sent twice is taken once. */
const KEPT_DAYS = 6;
/** Decisions that are named. */
const MAX_NAMED = 100;

/** A numbered row, ready to be sent. */
export type NumberedRow = OutboxTable & { number: number; relay_epoch: number };

export interface RelayState {
  /** Tells this database from others that fed the same ledger. */
  readonly instance: string;
  readonly epoch: number;
  /** Newest checkpoint that the ledger gave; '' = none yet. */
  readonly checkpoint: string;
}

/** Events that the ledger has not taken yet. */
export interface Waiting {
  readonly count: number;
  /** Commit time of the oldest, microseconds since the Unix epoch; null = nothing waits. */
  readonly oldestUs: number | null;
}

export const NOTHING_WAITS: Waiting = { count: 0, oldestUs: null };

/** What a ledger that was rolled back lost of what it had taken. */
export interface Losses {
  /** Events that are kept here and can be sent again. */
  readonly kept: number;
  /** Of entries [lostFrom, notKeptUntil) nothing is kept; 0 = all of them are. */
  readonly notKeptUntil: number;
  /** Decisions among these, newest first. */
  readonly decisions: readonly { readonly gpu: string; readonly seq: number; readonly time_us: number }[];
  readonly decisionsTotal: number;
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

  /** An event may be told long after it happened: its wait begins with its commit. */
  async waiting(): Promise<Waiting> {
    const { rows } = await sql<Waiting>`select (select count(*) from outbox) as count,
      (select coalesce(now_us, event_us) from outbox left join records using (commit_seq)
        order by commit_seq limit 1) as "oldestUs"`.execute(this.#db);
    return rows[0] ?? NOTHING_WAITS;
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
      gone as (delete from outbox using done where outbox.event_id = done.event_id returning outbox.*, done.seq),
      kept as (insert into sent (event_id, seq, commit_seq, ordinal, type, gpu, event_us, injected, detail)
        select event_id, seq, commit_seq, ordinal, type, gpu, event_us, injected, detail from gone
        on conflict (event_id) do update set seq = excluded.seq, acknowledged_at = now()),
      old as (delete from sent using noted where sent.seq < (select max(seq) from done) - ${KEPT_ENTRIES})
      select id from noted`.execute(this.#db);
    if (noted.length === 0) throw new SupersededError();
  }

  /** The checkpoint that the ledger must extend, and when it last did, microseconds since the Unix epoch; 0 = never. */
  async standing(): Promise<{ readonly checkpoint: string; readonly acknowledgedUs: number }> {
    const { rows } = await sql<{ checkpoint: string; acknowledged_us: number }>`select checkpoint,
      coalesce((select extract(epoch from max(acknowledged_at)) * 1000000 from sent), 0)::bigint as acknowledged_us
      from relay`.execute(this.#db);
    return { checkpoint: rows[0]?.checkpoint ?? '', acknowledgedUs: rows[0]?.acknowledged_us ?? 0 };
  }

  /** @param known entries that the ledger had */
  async losses(lostFrom: number, known: number): Promise<Losses> {
    const { rows } = await sql<{ kept: number; first: number | null }>`select
      (select count(*) from sent where seq >= ${lostFrom} and ${this.#youngEnough(lostFrom)}) as kept,
      (select min(seq) from sent where ${this.#youngEnough(lostFrom)}) as first`.execute(this.#db);
    const first = rows[0]?.first ?? known;
    const notKeptUntil = first > lostFrom ? first : 0;
    const { rows: decisions } = await sql<{ gpu: string; seq: number; time_us: number; total: number }>`
      select device_id as gpu, ledger_seq as seq, time_us, count(*) over () as total from transitions
      where ledger_seq >= ${lostFrom} and ledger_seq < ${notKeptUntil} order by ledger_seq desc limit ${MAX_NAMED}`.execute(
      this.#db,
    );
    return {
      kept: rows[0]?.kept ?? 0,
      notKeptUntil,
      decisions: decisions.map(({ gpu, seq, time_us }) => ({ gpu, seq, time_us })),
      decisionsTotal: decisions[0]?.total ?? 0,
    };
  }

  /**
   * From here on the ledger must extend `now`, and what it lost waits again, as in the beginning: without a number.
   * @throws SupersededError where another relay has taken over, or the ledger was believed meanwhile
   */
  async acceptRollback(before: string, now: string, lostFrom: number): Promise<void> {
    const { rows } = await sql`
      with noted as (update relay set checkpoint = ${now}, epoch = relay.epoch + 1 from leader
        where leader.epoch = ${this.#leaderEpoch()} and checkpoint = ${before} returning relay.id),
      lost as (delete from sent using noted where seq >= ${lostFrom} and ${this.#youngEnough(lostFrom)} returning sent.*),
      again as (insert into outbox (commit_seq, ordinal, event_id, type, gpu, event_us, injected, detail)
        select commit_seq, ordinal, event_id, type, gpu, event_us, injected, detail from lost on conflict do nothing),
      nowhere as (update transitions set ledger_seq = null from noted where ledger_seq >= ${lostFrom} and ${lostFrom} > 0)
      select id from noted`.execute(this.#db);
    if (rows.length === 0) throw new SupersededError();
  }

  /** Where it is not known what was lost, an event may be sent that the ledger still has: it must then still know its id. */
  #youngEnough(lostFrom: number) {
    return lostFrom > 0 ? sql`true` : sql`acknowledged_at > now() - make_interval(days => ${KEPT_DAYS})`;
  }
}
