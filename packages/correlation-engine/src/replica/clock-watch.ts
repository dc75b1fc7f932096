/** So far a replica's clock may be ahead of the database's; decisions that it made later would stop time for as long once another one decides. */
export const MOST_AHEAD_MS = 3_600_000;

/** Compares the clock of this replica with the database's, which all of them share. */
export class ClockWatch {
  readonly #nowUs: () => number;
  readonly #changed: (trouble: string | null) => void;
  #aheadMs = 0;

  /** @param changed why this clock is not to be trusted, as a sentence; null = it is again */
  constructor(nowUs: () => number, changed: (trouble: string | null) => void) {
    this.#nowUs = nowUs;
    this.#changed = changed;
  }

  /** Of the database's clock when it was last seen; negative = behind it. */
  get aheadMs(): number {
    return this.#aheadMs;
  }

  get isFarAhead(): boolean {
    return this.#aheadMs > MOST_AHEAD_MS;
  }

  /** @param databaseUs time of the database, as it was just read */
  compare(databaseUs: number): void {
    const before = this.isFarAhead;
    this.#aheadMs = (this.#nowUs() - databaseUs) / 1000;
    if (this.isFarAhead !== before) this.#changed(this.isFarAhead ? this.#trouble() : null);
  }

  #trouble(): string {
    const seconds = Math.round(this.#aheadMs / 1000);
    return `the clock of this machine is ${seconds} s ahead of the database's: it decides only where no other replica does. Correct the clock that is wrong.`;
  }
}
