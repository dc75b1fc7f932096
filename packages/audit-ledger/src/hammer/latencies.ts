/** Durations by rank in bounded memory: buckets of 1 % of the value. */

const STEP = 1.01;
const LEAST_MS = 0.01;
const BUCKETS = 2048;

export class Latencies {
  #count = 0;
  readonly #buckets = new Float64Array(BUCKETS);

  add(ms: number): void {
    const bucket = Math.ceil(Math.log(Math.max(ms, LEAST_MS) / LEAST_MS) / Math.log(STEP));
    const at = Math.min(bucket, BUCKETS - 1);
    this.#buckets[at] = (this.#buckets[at] ?? 0) + 1;
    this.#count += 1;
  }

  /** The duration in ms that the share `rank` (0..1) does not exceed, to 1 %; NaN where nothing was measured. */
  quantile(rank: number): number {
    let left = Math.ceil(rank * this.#count);
    for (let i = 0; i < BUCKETS && this.#count > 0; i += 1) {
      left -= this.#buckets[i] ?? 0;
      if (left <= 0) return LEAST_MS * STEP ** i;
    }
    return Number.NaN;
  }
}
