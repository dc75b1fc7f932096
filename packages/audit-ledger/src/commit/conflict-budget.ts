/** How many refused events are recorded one by one: whoever may write must not fill the log with what is refused. */

/** Entries an hour; what is beyond is counted, and said with the first of the next hour. */
export const MAX_CONFLICTS_PER_HOUR = 64;
const HOUR_US = 3_600e6;

export class ConflictBudget {
  #hour = -1;
  #recorded = 0;
  #unrecorded = 0;

  /** @returns how many were not recorded since the last that was; undefined: this one is not either */
  take(nowUs: number): number | undefined {
    const hour = Math.floor(nowUs / HOUR_US);
    if (hour !== this.#hour) [this.#hour, this.#recorded] = [hour, 0];
    if (this.#recorded >= MAX_CONFLICTS_PER_HOUR) {
      this.#unrecorded += 1;
      return undefined;
    }
    this.#recorded += 1;
    const before = this.#unrecorded;
    this.#unrecorded = 0;
    return before;
  }
}
