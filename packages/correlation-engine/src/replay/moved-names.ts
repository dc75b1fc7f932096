import type { Disagreement } from './report.js';

/**
 * Under which id the store has the rows of a device. They move to another id when other hardware takes the device's place, which
 * a replay learns of later than it sees the rows: until then what the first row says is believed, and held to afterwards.
 */
export class MovedNames {
  readonly #stored = new Map<string, string>();

  /** The id that a row of `decided` must have in the store, where a row with `stored` may be the first of it. */
  nameOf(decided: string, stored: string): string {
    const known = this.#stored.get(decided);
    if (known !== undefined) return known;
    if (stored !== decided && !stored.startsWith(`${decided}@`)) return decided;
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
