import { type Kysely, sql } from 'kysely';
import type { Tables } from '../store/schema.js';

/** When the steps of the schema were taken: what a table holds is complete from its own step on only. */
export class SchemaSteps {
  readonly #times: ReadonlyMap<string, number>;

  constructor(times: ReadonlyMap<string, number>) {
    this.#times = times;
  }

  static async read(db: Kysely<Tables>): Promise<SchemaSteps> {
    const { rows } = await sql<{
      name: string;
      timestamp: string;
    }>`select name, timestamp from kysely_migration`.execute(db);
    return new SchemaSteps(new Map(rows.map(({ name, timestamp }) => [name, Date.parse(timestamp) * 1000])));
  }

  /** Time of a step, in microseconds since the Unix epoch. */
  at(name: string): number {
    return this.#times.get(name) ?? Number.POSITIVE_INFINITY;
  }

  /** What was committed before was decided by an earlier release. */
  get newestUs(): number {
    return Math.max(...this.#times.values());
  }
}
