import type { Drift } from '@sentinel/monitor-kit/charts/block-ewma';
import { type BinOptions, binOf, type Distance, distanceOf, layBins } from '@sentinel/monitor-kit/charts/histogram';
import { type BlockMean, CohortChart, type CohortChartState } from './cohort-chart.js';

/** Values from which bins are laid out, however many are wished for. */
const MAX_VALUES = 20_000;

export interface DistributionOptions extends BinOptions {
  readonly symmetric: boolean;
  /** Values from which bins are laid out. */
  readonly samples: number;
  /** Least blocks between two references. */
  readonly interval: number;
  readonly chart: { readonly lambda: number; readonly limit: number; readonly reference: number };
}

export interface DistributionState {
  readonly values: readonly number[];
  readonly edges: readonly number[];
  readonly reference: readonly number[];
  readonly window: readonly (readonly number[])[];
  readonly age: number;
  readonly chart: CohortChartState;
}

export interface Moved {
  readonly distance: Distance;
  readonly drift: Drift | null;
}

/**
 * Distribution of a number of requests, block by block, against that of the reference blocks. How far healthy blocks are is learnt from
 * the reference blocks, each against the others: requests of a block depend on each other, and traffic has its hours.
 */
export class DistributionWatch {
  readonly #options: DistributionOptions;
  readonly #chart: CohortChart;
  #values: number[] = [];
  #edges: readonly number[] = [];
  #reference: readonly number[] = [];
  /** Blocks that become the next reference. */
  #window: (readonly number[])[] = [];
  /** Blocks since the last reference. */
  #age = 0;
  #counts: number[] = [];

  constructor(options: DistributionOptions, state?: DistributionState) {
    this.#options = options;
    this.#chart = new CohortChart({ ...options.chart, side: 'up' }, state?.chart);
    if (state === undefined) return;
    this.#values = [...state.values];
    this.#reference = state.reference;
    this.#window = [...state.window];
    this.#age = state.age;
    this.#lay(state.edges);
  }

  get state(): DistributionState {
    return {
      ...{ values: [...this.#values], edges: this.#edges, reference: this.#reference },
      ...{ window: [...this.#window], age: this.#age, chart: this.#chart.state },
    };
  }

  get chart(): Pick<CohortChart, 'compare' | 'hasCohort' | 'mean'> {
    return this.#chart;
  }

  /** @param value finite */
  add(value: number): void {
    if (this.#edges.length > 0) {
      const bin = binOf(this.#edges, value);
      this.#counts[bin] = (this.#counts[bin] ?? 0) + 1;
    } else if (this.#values.length < MAX_VALUES) this.#values.push(value);
  }

  /** The block is over. @param requests 0 = it is too small to count */
  close(block: number, requests: BlockMean['requests']): Moved | null {
    if (this.#edges.length === 0) {
      if (this.#values.length >= Math.min(MAX_VALUES, this.#options.samples)) this.#begin();
      return null;
    }
    const counts = this.#counts;
    this.#lay(this.#edges);
    if (requests === 0) return null;
    const moved = this.#reference.length === 0 ? null : this.#judge(block, counts, requests);
    this.#learn(counts);
    return moved;
  }

  #begin(): void {
    this.#lay(layBins(this.#values, this.#options));
    this.#values = [];
  }

  #lay(edges: readonly number[]): void {
    this.#edges = edges;
    this.#counts = Array.from({ length: edges.length + 1 }, () => 0);
  }

  #judge(block: number, counts: readonly number[], requests: number): Moved {
    const distance = distanceOf(counts, this.#reference, this.#options.symmetric);
    return { distance, drift: this.#chart.take(block, distance.score, requests) };
  }

  #learn(counts: readonly number[]): void {
    const { chart, interval } = this.#options;
    this.#age += 1;
    if (this.#chart.alarmed) {
      this.#window = [];
      return;
    }
    this.#window.push(counts);
    if (this.#window.length > chart.reference) this.#window.shift();
    const due = this.#reference.length === 0 || this.#age >= interval;
    if (due && this.#window.length === chart.reference) this.#adopt();
  }

  #adopt(): void {
    const { symmetric } = this.#options;
    const total = (bin: number) => this.#window.reduce((sum, counts) => sum + (counts[bin] ?? 0), 0);
    const reference = this.#counts.map((_, bin) => total(bin));
    const others = (counts: readonly number[]) => reference.map((count, bin) => count - (counts[bin] ?? 0));
    this.#chart.rebase(this.#window.map((counts) => distanceOf(counts, others(counts), symmetric).score));
    this.#reference = reference;
    this.#window = [];
    this.#age = 0;
  }
}
