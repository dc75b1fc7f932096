import { VERSION } from '@sentinel/service-kit/version';
import { type Kysely, sql } from 'kysely';
import type { SavedState } from '../../core.js';
import { SAVED_ROWS, stateOf } from '../saved-rows.js';
import type { Tables } from '../schema.js';
import { prunedBefore } from './pruned.js';

/** A copy of the state after a record that made the engine forget what it has in memory alone: a replay may begin behind it. */
export interface LogBase {
  readonly commitSeq: number;
  readonly nowUs: number;
}

/** Statements of the transaction in which that record is committed, as its last ones: they see what it wrote. */
export const KEEP_BASE: readonly string[] = [
  // A large fleet takes seconds.
  'set local statement_timeout = 0',
  `insert into log_bases (commit_seq, now_us, release) select commit_seq, now_us, '${VERSION}' from head`,
  `insert into log_base_rows (base, kind, id, body) select h.commit_seq, s.* from head h, (${SAVED_ROWS}) s`,
];

/** null = none was kept yet. */
export async function newestBase(db: Kysely<Tables>): Promise<LogBase | null> {
  const row = await db
    .selectFrom('log_bases')
    .select(['commit_seq', 'now_us'])
    .orderBy('commit_seq', 'desc')
    .executeTakeFirst();
  return row === undefined ? null : { commitSeq: row.commit_seq, nowUs: row.now_us };
}

/** Where the log begins, with the state there; null = at its first record. */
export async function beginningOfLog(db: Kysely<Tables>): Promise<(LogBase & { readonly saved: SavedState }) | null> {
  const first = await prunedBefore(db, 'records');
  if (first === 0) return null;
  const base = await db
    .selectFrom('log_bases')
    .selectAll()
    .where('commit_seq', '=', first - 1)
    .executeTakeFirst();
  if (base === undefined) throw new Error(`the state after record ${first - 1} is lost`);
  const saved = stateOf(await db.selectFrom('log_base_rows').selectAll().where('base', '=', base.commit_seq).execute());
  return saved === null ? null : { commitSeq: base.commit_seq, nowUs: base.now_us, saved };
}

/** From here on a replay begins at the newest base of before then. */
export async function moveBeginning(db: Kysely<Tables>, beforeUs: number): Promise<void> {
  await sql`
    with beginning as (select max(commit_seq) as seq from log_bases where now_us < ${beforeUs}),
      gone as (delete from log_bases where commit_seq < (select seq from beginning))
    insert into pruned (what, before) select 'records', seq + 1 from beginning where seq is not null
      on conflict (what) do update set before = greatest(pruned.before, excluded.before)`.execute(db);
}
