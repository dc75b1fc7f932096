import { SortedWindow } from './sorted-window.js';
import { TailLimit } from './tail-limit.js';

/** Values before a window has a median and a scale worth the name. */
const MIN_WINDOW = 10;

/** Values within the limit that end an episode. */
const QUIET = 10;

/** Distance of each value from the median of those before, in robust standard deviations. */
export class Deviations {
  readonly #window: SortedWindow;
  readonly #least: number;
  readonly #minScale: number;

  /** @param minScale in the unit of the values, never undercut: equal values in a row are no scale */
  constructor(window: number, minScale: number) {
    this.#window = new SortedWindow(window);
    this.#least = Math.min(MIN_WINDOW, window);
    this.#minScale = minScale;
  }

  /** @param value finite. Null while there is no median to compare with. */
  push(value: number): number | null {
    const window = this.#window;
    const ready = window.count >= this.#least;
    const deviation = ready ? (value - window.median) / Math.max(this.#minScale, window.scale) : null;
    window.push(value);
    return deviation;
  }

  /** The level changed for a reason that is known. */
  restart(): void {
    this.#window.clear();
  }
}

export interface SpikeOptions {
  /** Values. */
  readonly window: number;
  /** Standard deviations. */
  readonly least: number;
  /** Of a healthy sample to pass the limit. */
  readonly probability: number;
  readonly side: 'up' | 'both';
  /** Scale that is never undercut, in the unit of the values: equal values in a row are no scale. */
  readonly minScale: number;
}

export interface Spike {
  /** Distance from the median, standard deviations. */
  readonly deviation: number;
  /** What it passed, standard deviations. */
  readonly limit: number;
  /** No episode was under way. */
  readonly first: boolean;
}

/** Robust z-scores of single values against the median and scale of those before, with a limit that knows the series' own tail. */
export class SpikeChart {
  readonly #options: SpikeOptions;
  readonly #deviations: Deviations;
  readonly #tail: TailLimit;
  #quiet = QUIET;

  constructor(options: SpikeOptions) {
    this.#options = options;
    this.#deviations = new Deviations(options.window, options.minScale);
    this.#tail = new TailLimit(options.probability);
  }

  /**
   * @param value finite
   * @param allowance the limit is so many times as large for this value
   * @returns what passed the limit, else null
   */
  push(value: number, allowance = 1): Spike | null {
    const { side, least } = this.#options;
    const deviation = this.#deviations.push(value);
    if (deviation === null) return null;
    const score = side === 'up' ? Math.max(0, deviation) : Math.abs(deviation);
    const limit = allowance * Math.max(least, this.#tail.limit);
    if (!(score > limit)) {
      this.#quiet += 1;
      this.#tail.push(score);
      return null;
    }
    const first = this.#quiet >= QUIET;
    this.#quiet = 0;
    return { deviation, limit, first };
  }

  /** The level changed for a reason that is known: the tail stays. */
  restart(): void {
    this.#deviations.restart();
  }
}
