import { SortedWindow } from './sorted-window.js';

/** No block counts for more, standard deviations. */
const MAX_STEP = 4;

/** Scale that is never undercut, as a share of the level: equal blocks in a row are no scale. */
const MIN_SCALE = 1e-3;

/** A median that is off, and a scale that is too small, of references that short; both from simulation. */
const LEVEL_ERROR = Math.PI / 2;
const SCALE_ERROR = 0.6;

export interface BlockEwmaOptions {
  /** Weight of the newest block, 0 to 1. */
  readonly lambda: number;
  /** Standard deviations of the average. */
  readonly limit: number;
  /** Blocks that make the reference. */
  readonly reference: number;
  readonly side: 'up' | 'both';
}

/** What a chart has learnt, as it is kept over a restart. */
export interface BlockEwmaState {
  readonly level: number;
  /** 0 = there is no reference yet. */
  readonly scale: number;
  readonly average: number;
  /** Judged since there was a reference. */
  readonly blocks: number;
  readonly alarmed: boolean;
  /** Blocks of the next reference. */
  readonly learnt: readonly number[];
}

export interface Drift {
  /** Of the blocks, against the reference, standard deviations of a block; and what it passed. */
  readonly average: number;
  readonly limit: number;
  /** The average in the unit of the blocks. */
  readonly shift: number;
  /** No alarm was under way. */
  readonly first: boolean;
}

/**
 * Exponentially weighted moving average of block means against their own median and scale (Roberts 1959), with limits that know how few
 * blocks have been averaged and how short the reference is. A reference is learnt, then frozen, and replaced by as many newer blocks
 * once no alarm came between.
 */
export class BlockEwma {
  readonly #options: BlockEwmaOptions;
  #level = 0;
  #scale = 0;
  #average = 0;
  #blocks = 0;
  #alarmed = false;
  #learnt: number[] = [];

  constructor(options: BlockEwmaOptions, state?: BlockEwmaState) {
    this.#options = options;
    if (state === undefined) return;
    this.#level = state.level;
    this.#scale = state.scale;
    this.#average = state.average;
    this.#blocks = state.blocks;
    this.#alarmed = state.alarmed;
    this.#learnt = state.learnt.slice(-options.reference);
  }

  get state(): BlockEwmaState {
    const learnt = [...this.#learnt];
    return {
      ...{ level: this.#level, scale: this.#scale, average: this.#average },
      ...{ blocks: this.#blocks, alarmed: this.#alarmed, learnt },
    };
  }

  /** Null while it is learnt. */
  get reference(): { readonly level: number; readonly scale: number } | null {
    return this.#scale === 0 ? null : { level: this.#level, scale: this.#scale };
  }

  get alarmed(): boolean {
    return this.#alarmed;
  }

  /**
   * @param mean of a block, finite
   * @param judged what is averaged in its place, where there is a reference
   */
  push(mean: number, judged = mean): Drift | null {
    const drift = this.#scale === 0 ? null : this.#judge(judged);
    this.#learn(mean);
    return drift;
  }

  /** Another reference, known as a whole. */
  rebase(means: readonly number[]): void {
    const window = new SortedWindow(means.length);
    for (const mean of means) window.push(mean);
    const level = window.median;
    const scale = Math.max(window.scale, MIN_SCALE * Math.abs(level), Number.MIN_VALUE);
    // What is averaged so far goes on, seen from the new level.
    if (this.#scale > 0) this.#average = (this.#average * this.#scale + this.#level - level) / scale;
    this.#level = level;
    this.#scale = scale;
    this.#learnt = [];
  }

  #judge(mean: number): Drift | null {
    const { lambda, side } = this.#options;
    const step = Math.max(-MAX_STEP, Math.min(MAX_STEP, (mean - this.#level) / this.#scale));
    this.#average = lambda * step + (1 - lambda) * this.#average;
    this.#blocks += 1;
    const limit = this.#limit();
    const alarmed = (side === 'up' ? this.#average : Math.abs(this.#average)) > limit;
    const first = alarmed && !this.#alarmed;
    this.#alarmed = alarmed;
    return alarmed ? { average: this.#average, limit, shift: this.#average * this.#scale, first } : null;
  }

  /** Of the average, standard deviations of a block. */
  #limit(): number {
    const { lambda, limit, reference } = this.#options;
    const variance = (lambda / (2 - lambda)) * (1 - (1 - lambda) ** (2 * this.#blocks));
    const inflation = 1 + (LEVEL_ERROR / reference) * ((2 - lambda) / lambda);
    return limit * (1 + SCALE_ERROR / Math.sqrt(reference)) * Math.sqrt(variance * inflation);
  }

  #learn(mean: number): void {
    if (this.#alarmed) {
      this.#learnt = [];
      return;
    }
    this.#learnt.push(mean);
    if (this.#learnt.length >= this.#options.reference) this.rebase(this.#learnt);
  }
}
