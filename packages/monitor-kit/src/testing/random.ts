/** Seeded random numbers (sfc32), the same on every machine. */
export class Random {
  #a: number;
  #b: number;
  #c = 0x9e3779b9;
  #counter = 1;
  #spare = Number.NaN;

  constructor(seed: number) {
    this.#a = seed >>> 0;
    this.#b = 0x243f6a88;
    for (let k = 0; k < 16; k += 1) this.next();
  }

  /** Uniform in [0, 1). */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) >>> 0;
    this.#counter = (this.#counter + 1) >>> 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) >>> 0;
    this.#c = (this.#c + sum) >>> 0;
    return sum / 2 ** 32;
  }

  /** Uniform in 0..below-1. */
  integer(below: number): number {
    return Math.floor(this.next() * below);
  }

  normal(): number {
    if (!Number.isNaN(this.#spare)) {
      const spare = this.#spare;
      this.#spare = Number.NaN;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    const angle = 2 * Math.PI * this.next();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** Student's t with four degrees of freedom: a normal over the root of a mean of four squares, which is a sum of two exponentials. */
  t4(): number {
    const chiSquare = -2 * Math.log((1 - this.next()) * (1 - this.next()));
    return this.normal() / Math.sqrt(chiSquare / 4);
  }
}
