import { VERSION } from '@sentinel/service-kit/version';
import { type Kysely, sql } from 'kysely';
import { savedRows } from './saved-rows.js';
import type { Tables } from './schema.js';

/**
 * Keeps the state as this release found it, beside the state that it goes on with, so that what this release decides can be replayed
 * by itself: an earlier one may have decided by other rules. One is kept, that of the newest upgrade.
 * @param changed the schema was just brought up to date; otherwise only another release than the last one takes it
 */
export function takeCheckpoint(db: Kysely<Tables>, changed: boolean): Promise<void> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (tx) => {
      await sql`set local statement_timeout = 0`.execute(tx);
      // Before anything is read: an engine that starts at the same time waits here, and sees what this one did.
      await sql`lock table checkpoint in share row exclusive mode`.execute(tx);
      const last = await tx.selectFrom('checkpoint').select('release').executeTakeFirst();
      if (!changed && last?.release === VERSION) return;
      await sql`delete from checkpoint_rows`.execute(tx);
      await sql`delete from checkpoint`.execute(tx);
      await sql`insert into checkpoint select 1, commit_seq, now_us, ${VERSION} from head`.execute(tx);
      await sql`insert into checkpoint_rows (kind, id, body) ${savedRows()}`.execute(tx);
    });
}
