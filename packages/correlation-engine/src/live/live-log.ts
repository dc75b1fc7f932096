import type { Kysely } from 'kysely';
import { isUpdate, type LiveUpdate } from '../bus/live-updates.js';
import type { Tables } from '../store/schema.js';
import { KEPT_UPDATES } from '../store/writer.js';

/** All that readers are to be told after a record. */
export interface Missed {
  /** The newest record. */
  readonly commitSeq: number;
  readonly updates: readonly LiveUpdate[];
}

/** What readers of live updates are told, as the database has it: for those who were away. Any replica can read it. */
export interface LiveLog {
  /** Id of the fleet's database. */
  readonly fleet: string;
  /** The newest record. */
  head(): Promise<number>;
  /** The newest record of which there is something to tell; 0 = there is none. */
  newest(): Promise<number>;
  /**
   * Everything after that record, as one: it ends at the newest.
   * @returns null where not all of it is known any more
   */
  since(commitSeq: number): Promise<Missed | null>;
}

export class StoredLiveLog implements LiveLog {
  readonly fleet: string;
  readonly #db: Kysely<Tables>;

  private constructor(db: Kysely<Tables>, fleet: string) {
    this.#db = db;
    this.fleet = fleet;
  }

  static async open(db: Kysely<Tables>): Promise<StoredLiveLog> {
    const { instance } = await db.selectFrom('relay').select('instance').executeTakeFirstOrThrow();
    return new StoredLiveLog(db, instance);
  }

  head(): Promise<number> {
    return headOf(this.#db);
  }

  async newest(): Promise<number> {
    const { newest } = await this.#db
      .selectFrom('live_updates')
      .select(({ fn }) => fn.max('commit_seq').as('newest'))
      .executeTakeFirstOrThrow();
    return Number(newest ?? 0);
  }

  since(commitSeq: number): Promise<Missed | null> {
    return this.#db
      .transaction()
      .setIsolationLevel('repeatable read')
      .setAccessMode('read only')
      .execute(async (db) => {
        const head = await headOf(db);
        const rows = await db
          .selectFrom('live_updates')
          .select('body')
          .where('commit_seq', '>', commitSeq)
          .orderBy('commit_seq')
          .orderBy('ordinal')
          .limit(KEPT_UPDATES)
          .execute();
        // So many are kept at least: with fewer, none of them was given up.
        const known = commitSeq <= head && rows.length < KEPT_UPDATES;
        return known ? { commitSeq: head, updates: rows.map(({ body }) => body).filter(isUpdate) } : null;
      });
  }
}

async function headOf(db: Kysely<Tables>): Promise<number> {
  const { commit_seq: head } = await db.selectFrom('head').select('commit_seq').executeTakeFirstOrThrow();
  return head;
}
