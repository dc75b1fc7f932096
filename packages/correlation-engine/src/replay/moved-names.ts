import { type Kysely, sql } from 'kysely';
import type { Tables } from '../store/schema.js';
import type { Disagreement } from './report.js';

/** Of the store: by the id that a device was moved to, the one that it had. */
export async function archivedDevices(db: Kysely<Tables>): Promise<Map<string, string>> {
  const { rows } = await sql<{ id: string; before: string }>`select id, body->'replaced'->>'by' as before from devices
    where body->'replaced'->>'by' is not null and starts_with(id, (body->'replaced'->>'by') || '@')`.execute(db);
  return new Map(rows.map(({ id, before }) => [id, before]));
}

/**
 * Under which id the store has the rows of a device. They move to another id when other hardware takes the device's place, which
 * a replay learns of later than it sees the rows: until then what the first row says is believed, and held to afterwards.
 */
export class MovedNames {
  readonly #archived: ReadonlyMap<string, string>;
  readonly #stored = new Map<string, string>();

  /** @param archived ids that devices were moved to, and the id that each had before */
  constructor(archived: ReadonlyMap<string, string>) {
    this.#archived = archived;
  }

  /** The id that a row of `decided` must have in the store, where a row with `stored` may be the first of it. */
  nameOf(decided: string, stored: string): string {
    const known = this.#stored.get(decided);
    if (known !== undefined) return known;
    if (stored !== decided && this.#archived.get(stored) !== decided) return decided;
    this.#stored.set(decided, stored);
    return stored;
  }

  /** Rows of `from` until now are those of `to`. */
  moved(from: string, to: string, commitSeq: number): Disagreement | undefined {
    const stored = this.#stored.get(from) ?? to;
    this.#stored.delete(from);
    if (stored === to) return undefined;
    return {
      what: `rows of ${from}, replaced by record ${commitSeq}`,
      commitSeq,
      path: 'device',
      stored,
      replayed: to,
    };
  }

  /** At the end of the log: nothing moves any more. */
  finish(): Disagreement | undefined {
    for (const [replayed, stored] of this.#stored) {
      if (stored !== replayed)
        return { what: `rows of ${replayed}`, commitSeq: null, path: 'device', stored, replayed };
    }
    return undefined;
  }
}
