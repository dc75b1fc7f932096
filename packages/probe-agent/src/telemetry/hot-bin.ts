const HOUR_MS = 3_600_000;
const HOURS = 24;
/** Bins of 1 degree Celsius; what is colder or hotter falls into the first or last. */
const COLDEST_C = 0;
const BINS = 128;
/** The hottest fifth. */
const HOT_SHARE = 0.2;

interface Hour {
  number: number;
  readonly counts: Uint32Array;
}

/** Temperatures of one device over its last day, as a histogram per hour. */
export class HotBin {
  readonly #hours: Hour[] = [];

  /** Takes one reading. @param monoMs monotonic clock */
  add(temperatureC: number, monoMs: number): void {
    const number = Math.floor(monoMs / HOUR_MS);
    let hour = this.#hours.at(-1);
    if (hour?.number !== number) {
      hour = { number, counts: new Uint32Array(BINS) };
      this.#hours.push(hour);
    }
    while ((this.#hours[0]?.number ?? number) <= number - HOURS) this.#hours.shift();
    const bin = binOf(temperatureC);
    hour.counts[bin] = (hour.counts[bin] ?? 0) + 1;
  }

  /** Whether at most a fifth of the day's readings were hotter. False before the first. */
  isHot(temperatureC: number): boolean {
    const from = binOf(temperatureC);
    let all = 0;
    let hotter = 0;
    for (const { counts } of this.#hours) {
      for (const [bin, count] of counts.entries()) {
        all += count;
        if (bin > from) hotter += count;
      }
    }
    return all > 0 && hotter < all * HOT_SHARE;
  }
}

function binOf(temperatureC: number): number {
  return Math.max(0, Math.min(BINS - 1, Math.round(temperatureC) - COLDEST_C));
}
