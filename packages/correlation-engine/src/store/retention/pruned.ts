import { type Kysely, sql } from 'kysely';
import type { Tables } from '../schema.js';

/** Tables that have a beginning: records by commit_seq, the others by microseconds since the Unix epoch. */
export type PrunedTable = Tables['pruned']['what'];

/** What lies before it was given up, or is about to be; 0 = nothing. */
export async function prunedBefore(db: Kysely<Tables>, what: PrunedTable): Promise<number> {
  const row = await db.selectFrom('pruned').select('before').where('what', '=', what).executeTakeFirst();
  return row?.before ?? 0;
}

/** Gives up at most `limit` records, or rows of a base, from before the beginning of the log. @returns how many */
export async function pruneLog(db: Kysely<Tables>, limit: number): Promise<number> {
  const { numAffectedRows = 0n } = await sql`delete from records where commit_seq = any(array(
    select commit_seq from records where commit_seq < (select before from pruned where what = 'records')
      order by commit_seq limit ${limit}))`.execute(db);
  return Number(numAffectedRows);
}

export async function pruneBases(db: Kysely<Tables>, limit: number): Promise<number> {
  const { numAffectedRows = 0n } = await sql`delete from log_base_rows where ctid = any(array(
    select ctid from log_base_rows r where not exists (select from log_bases b where b.commit_seq = r.base)
      limit ${limit}))`.execute(db);
  return Number(numAffectedRows);
}

/** Gives up at most `limit` of what happened before then, the oldest first. @returns how many */
export async function pruneByTime(
  db: Kysely<Tables>,
  what: Exclude<PrunedTable, 'records'>,
  beforeUs: number,
  limit: number,
): Promise<number> {
  const table = sql.table(what);
  const { numAffectedRows = 0n } = await sql`
    with noted as (
      insert into pruned (what, before) values (${what}, ${beforeUs})
        on conflict (what) do update set before = greatest(pruned.before, excluded.before))
    delete from ${table} where ctid = any(array(
      select ctid from ${table} where time_us < ${beforeUs} order by time_us limit ${limit}))`.execute(db);
  return Number(numAffectedRows);
}
