import {
  BlockEwma,
  type BlockEwmaOptions,
  type BlockEwmaState,
  type Drift,
} from '@sentinel/monitor-kit/charts/block-ewma';

/** Blocks that other replicas can still ask for, and compare with. */
const KEPT = 16;

/** Blocks without other replicas after which a chart stands alone again. */
const ALONE_AFTER = 2;

/** Mean of one block. */
export interface BlockMean {
  readonly mean: number;
  readonly requests: number;
}

export interface CohortChartState {
  readonly own: BlockEwmaState;
  readonly cohort: BlockEwmaState;
}

/**
 * Block values of one statistic of one replica, charted twice: as they are, and less the median of what other replicas had in the same
 * block. What all do at once, such as other traffic, is in none of the latter; a median, so that one that is wrong moves few others.
 */
export class CohortChart {
  readonly #own: BlockEwma;
  readonly #cohort: BlockEwma;
  readonly #recent = new Map<number, BlockMean>();
  #compared = Number.NEGATIVE_INFINITY;
  #newest = Number.NEGATIVE_INFINITY;

  constructor(options: BlockEwmaOptions, state?: CohortChartState) {
    this.#own = new BlockEwma(options, state?.own);
    this.#cohort = new BlockEwma(options, state?.cohort);
  }

  get state(): CohortChartState {
    return { own: this.#own.state, cohort: this.#cohort.state };
  }

  /** Of the replica's own chart; null while it is learnt. */
  get reference(): { readonly level: number; readonly scale: number } | null {
    return this.#own.reference;
  }

  get alarmed(): boolean {
    return this.#own.alarmed;
  }

  /** Charts a block by itself. @param mean finite */
  take(block: number, mean: number, requests: number): Drift | null {
    if (block <= this.#newest) {
      // The clock was set back: what was of those numbers is another time.
      this.#recent.clear();
      this.#compared = Number.NEGATIVE_INFINITY;
    }
    this.#newest = block;
    this.#recent.set(block, { mean, requests });
    const [oldest] = this.#recent.keys();
    if (this.#recent.size > KEPT && oldest !== undefined) this.#recent.delete(oldest);
    return this.#own.push(mean);
  }

  /** Charts a block against what other replicas had in it; each block once, in order. @param means finite, at least one */
  compare(block: number, means: readonly number[]): Drift | null {
    const own = this.#recent.get(block);
    if (own === undefined || block <= this.#compared || means.length === 0) return null;
    this.#compared = block;
    const differences = means.map((mean) => own.mean - mean);
    const level = this.#cohort.reference?.level;
    const judged = means.length === 2 && level !== undefined ? ofBoth(differences, level) : undefined;
    return this.#cohort.push(median(differences), judged);
  }

  /** Null = the block is not over, was too small, or is forgotten. */
  mean(block: number): BlockMean | null {
    return this.#recent.get(block) ?? null;
  }

  /** Other replicas were there lately, and the chart against them has learnt enough to judge. */
  hasCohort(block: number): boolean {
    return this.#cohort.reference !== null && block - this.#compared <= ALONE_AFTER;
  }

  /** Another reference of the replica's own chart, known as a whole. */
  rebase(means: readonly number[]): void {
    this.#own.rebase(means);
  }
}

/**
 * Of two differences the one that is nearer to the level, or the level where they are on both sides of it: with two others the replica
 * itself drifts only where it drifts away from both.
 */
function ofBoth(differences: readonly number[], level: number): number {
  const [a = 0, b = 0] = differences.map((difference) => difference - level);
  if (a * b <= 0) return level;
  return level + (Math.abs(a) < Math.abs(b) ? a : b);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[sorted.length >> 1] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[(sorted.length >> 1) - 1] ?? Number.NaN)) / 2;
}
