/** Makes a median absolute deviation comparable with a standard deviation, for normal data. */
const MAD_TO_SIGMA = 1.4826;

/** The last values of a series, kept in order, so that median and scale cost one pass instead of a sort. */
export class SortedWindow {
  readonly #size: number;
  readonly #sorted: Float64Array;
  /** In the order of arrival; the oldest is at `next` once the window is full. */
  readonly #ring: Float64Array;
  #count = 0;
  #next = 0;

  constructor(size: number) {
    this.#size = size;
    this.#sorted = new Float64Array(size);
    this.#ring = new Float64Array(size);
  }

  get count(): number {
    return this.#count;
  }

  /** @param value finite */
  push(value: number): void {
    if (this.#count === this.#size) this.#remove(this.#ring[this.#next] ?? 0);
    const at = this.#place(value);
    this.#sorted.copyWithin(at + 1, at, this.#count);
    this.#sorted[at] = value;
    this.#count += 1;
    this.#ring[this.#next] = value;
    this.#next = (this.#next + 1) % this.#size;
  }

  clear(): void {
    this.#count = 0;
    this.#next = 0;
  }

  /** NaN while empty. */
  get median(): number {
    const upper = this.#at(this.#count >> 1);
    return this.#count % 2 === 1 ? upper : (upper + this.#at((this.#count >> 1) - 1)) / 2;
  }

  /** 1.4826 times the median absolute deviation: walks outwards from the median until half of the values are passed. */
  get scale(): number {
    const { median } = this;
    let above = this.#place(median);
    let below = above - 1;
    let distance = 0;
    for (let passed = 0; passed <= this.#count >> 1 && passed < this.#count; passed += 1) {
      const up = above < this.#count ? this.#at(above) - median : Number.POSITIVE_INFINITY;
      const down = below >= 0 ? median - this.#at(below) : Number.POSITIVE_INFINITY;
      distance = Math.min(up, down);
      if (up <= down) above += 1;
      else below -= 1;
    }
    return MAD_TO_SIGMA * distance;
  }

  #at(index: number): number {
    return this.#sorted[index] ?? Number.NaN;
  }

  /** Index of the first value that is not smaller. */
  #place(value: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#at(middle) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #remove(value: number): void {
    const at = this.#place(value);
    this.#sorted.copyWithin(at, at + 1, this.#count);
    this.#count -= 1;
  }
}
