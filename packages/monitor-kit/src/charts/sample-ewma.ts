export interface SampleEwmaOptions {
  /** Weight of the newest sample. */
  readonly alpha: number;
  /** Samples from which level and scale are learnt. */
  readonly warmup: number;
  /** Standard deviations of the average. */
  readonly sigma: number;
  /** Fraction of the level. */
  readonly drift: number;
}

export interface SampleDrift {
  /** Of the average from the level: standard deviations of the average, and as a fraction of the level. */
  readonly deviation: number;
  readonly drift: number;
  /** No alarm was under way. */
  readonly first: boolean;
}

/**
 * Exponentially weighted moving average of single samples against the mean and standard deviation of the first ones. It takes samples for
 * independent and traffic for even, and alarms on healthy servers: for people.
 */
export class SampleEwma {
  readonly #options: SampleEwmaOptions;
  #count = 0;
  #mean = 0;
  #squares = 0;
  #average = 0;
  #alarmed = false;

  constructor(options: SampleEwmaOptions) {
    this.#options = options;
  }

  /** @param value finite */
  push(value: number): SampleDrift | null {
    const { alpha, warmup, sigma, drift: least } = this.#options;
    if (this.#count < warmup) {
      this.#count += 1;
      const before = value - this.#mean;
      this.#mean += before / this.#count;
      this.#squares += before * (value - this.#mean);
      this.#average = this.#mean;
      return null;
    }
    this.#average += alpha * (value - this.#average);
    const shift = this.#average - this.#mean;
    const scale = Math.sqrt((this.#squares / this.#count) * (alpha / (2 - alpha)));
    const deviation = shift / Math.max(scale, Number.MIN_VALUE);
    const drift = shift / Math.max(Math.abs(this.#mean), Number.MIN_VALUE);
    const alarmed = Math.abs(deviation) > sigma && Math.abs(drift) > least;
    const first = alarmed && !this.#alarmed;
    this.#alarmed = alarmed;
    return alarmed ? { deviation, drift, first } : null;
  }
}
