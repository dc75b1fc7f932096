import type { Kysely } from 'kysely';
import type { SavedState } from '../core.js';
import { stateOf } from '../store/saved-rows.js';
import type { Tables } from '../store/schema.js';

/** The state as the release that runs found it. */
export interface Checkpoint {
  /** The last record that an earlier release decided. */
  readonly commitSeq: number;
  readonly nowUs: number;
  readonly saved: SavedState;
}

/** null = no earlier release decided anything. */
export async function readCheckpoint(db: Kysely<Tables>): Promise<Checkpoint | null> {
  const head = await db.selectFrom('checkpoint').selectAll().executeTakeFirst();
  if (head === undefined || head.commit_seq === 0) return null;
  const saved = stateOf(await db.selectFrom('checkpoint_rows').selectAll().execute());
  return saved === null ? null : { commitSeq: head.commit_seq, nowUs: head.now_us, saved };
}
