/** Largest scores that are kept of one reference. */
const KEPT = 200;

/** Scores that make a reference whole; the next one is begun then, so that a limit follows the job. */
const REFERENCE = 20_000;

/** Fewer say nothing of a tail. */
const MIN_REFERENCE = 200;

/** Share of the scores that counts as the tail, while there are few. */
const TAIL = 0.05;

/** Standard errors that are added to the estimated heaviness of the tail. */
const CAUTION = 1.5;

/** Scores between two estimates. */
const REFRESH = 50;

/**
 * The score that healthy samples pass with a given probability, extrapolated from the largest scores that this series itself has shown
 * (peaks over threshold, the moment estimator of Dekkers, Einmahl and de Haan, 1989). Few scores make it large, heavy tails too.
 */
export class TailLimit {
  readonly #probability: number;
  #whole: Reference | null = null;
  #growing = new Reference();
  #limit = Number.POSITIVE_INFINITY;
  #sinceRefresh = 0;

  /** @param probability per sample, of a score above the limit; 0 < probability < 1e-3 */
  constructor(probability: number) {
    this.#probability = probability;
  }

  /** Infinite until there is a reference. */
  get limit(): number {
    return this.#limit;
  }

  /** Takes a score that did not alarm. @param score >= 0, finite */
  push(score: number): void {
    this.#growing.push(score);
    this.#sinceRefresh += 1;
    if (this.#growing.count === REFERENCE) {
      this.#whole = this.#growing;
      this.#growing = new Reference();
    } else if (this.#whole !== null || this.#sinceRefresh < REFRESH) return;
    this.#sinceRefresh = 0;
    this.#limit = (this.#whole ?? this.#growing).quantile(this.#probability);
  }
}

/** The largest of the scores of one stretch, in descending order. */
class Reference {
  readonly #top = new Float64Array(KEPT + 1);
  count = 0;

  push(score: number): void {
    const kept = Math.min(this.count, KEPT);
    this.count += 1;
    if (kept === KEPT && score <= (this.#top[KEPT - 1] ?? 0)) return;
    let at = kept;
    for (; at > 0 && (this.#top[at - 1] ?? 0) < score; at -= 1) this.#top[at] = this.#top[at - 1] ?? 0;
    this.#top[at] = score;
  }

  quantile(probability: number): number {
    const k = Math.min(KEPT - 1, Math.floor(TAIL * this.count));
    const threshold = this.#top[k] ?? 0;
    if (this.count < MIN_REFERENCE || threshold <= 0) return Number.POSITIVE_INFINITY;
    let first = 0;
    let second = 0;
    for (const score of this.#top.subarray(0, k)) {
      const log = Math.log(score / threshold);
      first += log / k;
      second += (log * log) / k;
    }
    if (first === 0) return Number.POSITIVE_INFINITY;
    const shape = first + 1 - 0.5 / Math.max(1e-6, 1 - (first * first) / second);
    const cautious = Math.max(1e-3, shape + (CAUTION * Math.sqrt(1 + shape * shape)) / Math.sqrt(k));
    const width = threshold * first * (1 - Math.min(0, shape));
    const odds = k / (this.count * probability);
    return threshold + (width * (odds ** cautious - 1)) / cautious;
  }
}
