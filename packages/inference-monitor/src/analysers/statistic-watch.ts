import type { Drift } from '@sentinel/monitor-kit/charts/block-ewma';
import type { InferenceThresholds } from '@sentinel/service-kit/config';
import { type BlockMean, CohortChart, type CohortChartState } from './cohort-chart.js';
import {
  type DistributionOptions,
  type DistributionState,
  DistributionWatch,
  type Moved,
} from './distribution-watch.js';

export interface StatisticState {
  readonly mean: CohortChartState;
  readonly distribution: DistributionState | undefined;
}

/** What a block of a statistic showed. */
export interface BlockVerdict extends BlockMean {
  /** Of the replica's own chart, before this block. */
  readonly reference: { readonly level: number; readonly scale: number } | null;
  readonly drift: Drift | null;
  readonly moved: Moved | null;
  /** Charts against other replicas judge as well: what the replica's own shows accuses nobody. */
  readonly advisory: { readonly mean: boolean; readonly distribution: boolean };
}

/** Parts of a statistic that replicas compare. */
export const PARTS = ['mean', 'distribution'] as const;
export type Part = (typeof PARTS)[number];

/** One number of each sampled request of a model, block by block. */
export class StatisticWatch {
  readonly #mean: CohortChart;
  readonly #distribution: DistributionWatch | null;
  readonly #minRequests: number;
  #sum = 0;
  #requests = 0;

  /** @param withDistribution false = means alone */
  constructor(limits: InferenceThresholds, withDistribution: boolean, state?: StatisticState) {
    this.#minRequests = limits.block_ewma.min_requests;
    this.#mean = new CohortChart({ ...chartOf(limits), side: 'both' }, state?.mean);
    this.#distribution = withDistribution ? new DistributionWatch(distributionOf(limits), state?.distribution) : null;
  }

  get state(): StatisticState {
    return { mean: this.#mean.state, distribution: this.#distribution?.state };
  }

  /** NaN and infinity are left to the invariants. */
  add(value: number): void {
    if (!Number.isFinite(value)) return;
    this.#sum += value;
    this.#requests += 1;
    this.#distribution?.add(value);
  }

  /** Null where the block had no request; one with too few is charted by nobody. */
  close(block: number): (BlockVerdict & { readonly judged: boolean }) | null {
    const requests = this.#requests;
    if (requests === 0) return null;
    const mean = this.#sum / requests;
    const judged = requests >= this.#minRequests;
    this.#sum = 0;
    this.#requests = 0;
    const { reference } = this.#mean;
    const drift = judged ? this.#mean.take(block, mean, requests) : null;
    const moved = this.#distribution?.close(block, judged ? requests : 0) ?? null;
    const advisory = {
      mean: this.#mean.hasCohort(block),
      distribution: this.#distribution?.chart.hasCohort(block) ?? false,
    };
    return { mean, requests, judged, reference, drift, moved, advisory };
  }

  /** Null = the block is not over, too small or forgotten. */
  blockMean(part: Part, block: number): BlockMean | null {
    return this.#chartOf(part)?.mean(block) ?? null;
  }

  /** What other replicas had in a block that is over. */
  compare(part: Part, block: number, others: readonly BlockMean[]): Drift | null {
    const means = others.filter(({ requests }) => requests >= this.#minRequests).map(({ mean }) => mean);
    return this.#chartOf(part)?.compare(block, means.filter(Number.isFinite)) ?? null;
  }

  #chartOf(part: Part): Pick<CohortChart, 'compare' | 'mean'> | undefined {
    return part === 'mean' ? this.#mean : this.#distribution?.chart;
  }
}

function chartOf({ block_ewma: { lambda, limit, m } }: InferenceThresholds) {
  return { lambda, limit, reference: m };
}

function distributionOf(limits: InferenceThresholds): DistributionOptions {
  const { kl_divergence: kl, block_ewma } = limits;
  return {
    ...{ strategy: kl.binning_strategy, bins: kl.num_bins, maxBins: kl.max_bins, symmetric: kl.symmetric },
    samples: kl.min_reference_samples,
    interval: Math.ceil(kl.reference_update_interval_s / block_ewma.block_s),
    chart: { ...chartOf(limits), limit: kl.limit },
  };
}
