import { SentinelError } from '@sentinel/service-kit/errors';
import { type Kysely, sql } from 'kysely';
import type { FleetDirectiveTable, Tables } from '../store/schema.js';
import type { Cursor } from './cursor.js';
import { isBefore } from './cursor.js';

/** Rows read at a time: what one stream holds in memory. */
export const PAGE_ROWS = 256;

/** The directives for orchestrators, as they were committed: read in order, and given up when they are old. */
export class DirectiveLog {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  /**
   * The next rows after the cursor.
   * @param complete refuse where rows after the cursor were given up already
   * @throws SentinelError OUT_OF_RANGE
   */
  async page(after: Cursor, complete: boolean): Promise<FleetDirectiveTable[]> {
    const rows = await this.#db
      .selectFrom('fleet_directives')
      .selectAll()
      .where(sql<boolean>`(commit_seq, ordinal) > (${after.commitSeq}::bigint, ${after.ordinal}::bigint)`)
      .orderBy('commit_seq')
      .orderBy('ordinal')
      .limit(PAGE_ROWS)
      .execute();
    // Asked after the rows: whatever was given up until then is known.
    const pruned = await this.pruned();
    if (complete && isBefore(after, pruned)) throw tooOld(after, pruned);
    return rows;
  }

  /** The newest row that was given up. */
  async pruned(): Promise<Cursor> {
    const row = await this.#db.selectFrom('directive_log').selectAll().executeTakeFirstOrThrow();
    return { commitSeq: row.pruned_commit_seq, ordinal: row.pruned_ordinal };
  }

  /** Gives up at most `limit` of what was committed before then, the oldest first. @returns how many */
  async prune(beforeUs: number, limit: number): Promise<number> {
    const { rows } = await sql<{ count: number }>`
      with gone as (delete from fleet_directives where (commit_seq, ordinal) in (
          select commit_seq, ordinal from fleet_directives where now_us < ${beforeUs} order by commit_seq, ordinal limit ${limit})
          returning commit_seq, ordinal),
        newest as (select commit_seq, ordinal from gone order by commit_seq desc, ordinal desc limit 1),
        noted as (update directive_log set pruned_commit_seq = newest.commit_seq, pruned_ordinal = newest.ordinal from newest)
      select count(*) as count from gone`.execute(this.#db);
    return rows[0]?.count ?? 0;
  }
}

function tooOld(after: Cursor, pruned: Cursor): SentinelError {
  return new SentinelError({
    code: 'OUT_OF_RANGE',
    reason: 'EXPIRED',
    message: `directives after ${after.commitSeq}.${after.ordinal} are not kept any more, up to ${pruned.commitSeq}.${pruned.ordinal}`,
    field: 'after',
    hint: 'Take the state of every device from QueryFleetHealth, then stream without a cursor.',
  });
}
