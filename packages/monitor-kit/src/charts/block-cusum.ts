import { SortedWindow } from './sorted-window.js';

/** Share of a block that is left out at each end: one wild value moves no block. */
const TRIMMED = 0.1;

/** No block counts for more, standard deviations. */
const MAX_STEP = 4;

export interface CusumOptions {
  /** Values in a block. */
  readonly block: number;
  /** Blocks that make the reference. */
  readonly reference: number;
  /** Standard deviations of a block mean. */
  readonly allowance: number;
  readonly limit: number;
}

export interface Shift {
  /** Sum at which it was found, and the limit, standard deviations of a block mean. Negative = downwards. */
  readonly sum: number;
  readonly limit: number;
  /** Of the blocks since the sum began, against the reference, in the unit of the values. */
  readonly shift: number;
  /** In which it was found. */
  readonly blocks: number;
}

/**
 * Two-sided CUSUM of trimmed block means against the series' own first blocks (Page 1954). Blocks make it insensitive to tails and to
 * dependence between neighbours, since their scale is estimated from blocks; limit and allowance are widened for the error of a
 * reference of that length.
 */
export class BlockCusum {
  readonly #options: CusumOptions;
  readonly #block: Float64Array;
  readonly #reference: SortedWindow;
  /** The last blocks, as many as made the reference. */
  readonly #recent: SortedWindow;
  #filled = 0;
  #level = 0;
  #scale = 0;
  #up = { sum: 0, blocks: 0, total: 0 };
  #down = { sum: 0, blocks: 0, total: 0 };

  constructor(options: CusumOptions) {
    this.#options = options;
    this.#block = new Float64Array(options.block);
    this.#reference = new SortedWindow(options.reference);
    this.#recent = new SortedWindow(options.reference);
  }

  /** @param value finite */
  push(value: number): Shift | null {
    this.#block[this.#filled] = value;
    this.#filled += 1;
    if (this.#filled < this.#options.block) return null;
    this.#filled = 0;
    return this.#take(trimmedMean(this.#block));
  }

  #take(mean: number): Shift | null {
    const { reference } = this.#options;
    if (this.#scale === 0) {
      this.#reference.push(mean);
      if (this.#reference.count === reference) {
        this.#level = this.#reference.median;
        this.#scale = Math.max(this.#reference.scale, Number.MIN_VALUE);
      }
      return null;
    }
    this.#recent.push(mean);
    // Noise that grows while a job learns is no shift.
    const scale = Math.max(this.#scale, this.#recent.count < reference / 2 ? 0 : this.#recent.scale);
    const raw = mean - this.#level;
    const step = Math.max(-MAX_STEP, Math.min(MAX_STEP, raw / scale));
    // The median of m values is off by sqrt(pi/2)/sqrt(m), a scale from the median absolute deviation by about 1.2/sqrt(m).
    const allowance = this.#options.allowance + Math.sqrt(Math.PI / 2) / Math.sqrt(reference);
    const limit = this.#options.limit * (1 + 1.2 / Math.sqrt(reference));
    return side(this.#up, step, raw, allowance, limit, 1) ?? side(this.#down, -step, raw, allowance, limit, -1);
  }
}

interface Side {
  sum: number;
  blocks: number;
  total: number;
}

function side(of: Side, step: number, raw: number, allowance: number, limit: number, sign: 1 | -1): Shift | null {
  of.sum = Math.max(0, of.sum + step - allowance);
  of.blocks = of.sum === 0 ? 0 : of.blocks + 1;
  of.total = of.sum === 0 ? 0 : of.total + raw;
  if (of.sum <= limit) return null;
  const found = { sum: sign * of.sum, limit, shift: of.total / of.blocks, blocks: of.blocks };
  Object.assign(of, { sum: 0, blocks: 0, total: 0 });
  return found;
}

function trimmedMean(values: Float64Array): number {
  const sorted = values.toSorted();
  const cut = Math.floor(TRIMMED * sorted.length);
  const middle = sorted.subarray(cut, sorted.length - cut);
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
}
