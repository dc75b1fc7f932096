/** Full jitter: a uniformly random delay up to an exponentially growing, bounded ceiling, so that a fleet does not return in step. */
export interface BackoffOptions {
  readonly firstMs: number;
  readonly lastMs: number;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
}

export class Backoff {
  readonly #options: BackoffOptions;
  #attempt = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** Failures since the last reset. */
  get attempt(): number {
    return this.#attempt;
  }

  /** Delay before the next try, milliseconds; never below a tenth of its ceiling, so that a refused call cannot spin. */
  nextMs(): number {
    const { firstMs, lastMs, random = Math.random } = this.#options;
    const ceiling = Math.min(lastMs, firstMs * 2 ** Math.min(this.#attempt, 30));
    this.#attempt += 1;
    return ceiling * (0.1 + 0.9 * random());
  }

  reset(): void {
    this.#attempt = 0;
  }
}
