import { PrintTable } from './print-table.js';

/**
 * Which recent entry carries an event id. Bounded: `GENERATIONS` tables of at most `GENERATION_ENTRIES` ids each, the
 * oldest table being dropped when the newest is full, so the newest 1.5 to 2 million entries are known in at most 64 MiB.
 * Below 2.5 entries a second that is the promised 7 days; above it, producers' high-water marks catch later retries.
 */
export const GENERATIONS = 4;
export const GENERATION_ENTRIES = 2 ** 19;
/** What a table has room for before it grows: most logs are short. */
const INITIAL_ENTRIES = 2 ** 9;

export class EventWindow {
  readonly #limit: number;
  #generations: PrintTable[] = [new PrintTable(INITIAL_ENTRIES)];

  constructor(generationEntries = GENERATION_ENTRIES) {
    this.#limit = generationEntries;
  }

  /** Seqs, newest first, whose event id begins with the same 8 bytes; the caller compares the whole id with the store. */
  candidates(eventId: Uint8Array): number[] {
    return this.#generations.flatMap((generation) => generation.values(eventId).reverse());
  }

  /** Whether there are candidates. */
  mayHold(eventId: Uint8Array): boolean {
    for (const generation of this.#generations) if (generation.has(eventId)) return true;
    return false;
  }

  /** `at`: where in `bytes` the id begins. */
  add(bytes: Uint8Array, seq: number, at = 0): void {
    let newest = this.#generations[0];
    if (newest === undefined || newest.count >= this.#limit) {
      newest = new PrintTable(INITIAL_ENTRIES);
      this.#generations = [newest, ...this.#generations].slice(0, GENERATIONS);
    }
    newest.add(bytes, seq, at);
  }
}
