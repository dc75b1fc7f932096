import { type Kysely, sql } from 'kysely';
import type { Tables } from './schema.js';

/** Who decides, as the database says. */
export interface Leadership {
  /** '' = nobody. */
  readonly holder: string;
  readonly epoch: number;
  /** host:port */
  readonly address: string;
  /** Its lease runs. */
  readonly valid: boolean;
  /** The database's clock, microseconds since the Unix epoch. */
  readonly nowUs: number;
}

/** The leader's row. It says who leads; that nobody else can write is the lock's and the epoch's doing (see claim.ts). */
export class Lease {
  readonly #db: Kysely<Tables>;
  /** How long it runs, milliseconds. */
  readonly ms: number;

  /** @param db with a connection that nothing else takes up: a leader that cannot renew is replaced */
  constructor(db: Kysely<Tables>, ms: number) {
    this.#db = db;
    this.ms = ms;
  }

  async read(): Promise<Leadership> {
    const { rows } = await sql<Leadership>`select holder, epoch, address,
      holder <> '' and renewed_at >= clock_timestamp() - make_interval(secs => ${this.ms / 1000}) as valid,
      (extract(epoch from clock_timestamp()) * 1000000)::bigint as "nowUs" from leader`.execute(this.#db);
    const [row] = rows;
    if (row === undefined) throw new Error('the table leader has lost its row');
    return row;
  }

  /** @returns false when a later leader has taken over */
  async renew(epoch: number): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('leader')
      .set({ renewed_at: sql`clock_timestamp()` })
      .where('epoch', '=', epoch)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  /** Gives it up before it runs out. */
  async release(epoch: number): Promise<void> {
    await this.#db.updateTable('leader').set({ holder: '' }).where('epoch', '=', epoch).execute();
  }

  close(): Promise<void> {
    return this.#db.destroy();
  }
}
