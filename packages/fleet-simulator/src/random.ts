import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

/**
 * A stream of random numbers that its name determines. Streams of different names are independent, so that what one device
 * does changes nothing for another.
 */
export class Random {
  readonly #next: () => number;
  readonly #name: string;

  constructor(seed: number, ...name: readonly (string | number)[]) {
    this.#name = JSON.stringify([seed, ...name]);
    const digest = createHash('sha256').update(this.#name).digest();
    const generator = xoroshiro128plusFromState([0, 4, 8, 12].map((at) => digest.readInt32LE(at)));
    this.#next = () => uniformFloat64(generator);
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return this.#next();
  }

  /** Uniform in 0..n-1. */
  below(n: number): number {
    return Math.floor(this.#next() * n);
  }

  word(): number {
    return this.below(0x1_0000_0000);
  }

  happens(probability: number): boolean {
    return probability >= 1 || this.#next() < probability;
  }

  /** Time to the next event of a Poisson process; infinite at rate 0. */
  exponential(rate: number): number {
    return rate <= 0 ? Number.POSITIVE_INFINITY : -Math.log1p(-this.#next()) / rate;
  }

  /** Trials up to and with the first success, >= 1; infinite at probability 0. */
  geometric(probability: number): number {
    if (probability >= 1) return 1;
    if (probability <= 0) return Number.POSITIVE_INFINITY;
    return 1 + Math.floor(Math.log1p(-this.#next()) / Math.log1p(-probability));
  }

  /** Which of n independent trials succeed, given that at least one does: increasing indices. */
  successes(n: number, probability: number): number[] {
    const some = -Math.expm1(n * Math.log1p(-Math.min(probability, 1 - 1e-16)));
    const first = probability >= 1 ? 0 : Math.floor(Math.log1p(-this.#next() * some) / Math.log1p(-probability));
    const found: number[] = [];
    for (let at = Math.min(first, n - 1); at < n; at += this.geometric(probability)) found.push(at);
    return found;
  }

  /** How many of n independent trials succeed. */
  binomial(n: number, probability: number): number {
    let count = 0;
    for (let at = this.geometric(probability); at <= n; at += this.geometric(probability)) count += 1;
    return count;
  }

  /** `count` different numbers of 0..n-1, increasing. */
  choose(count: number, n: number): number[] {
    const all = Array.from({ length: n }, (_, i) => i);
    for (let i = 0; i < Math.min(count, n); i += 1) {
      const other = i + this.below(n - i);
      [all[i], all[other]] = [all[other] ?? 0, all[i] ?? 0];
    }
    return all.slice(0, count).sort((a, b) => a - b);
  }
}
