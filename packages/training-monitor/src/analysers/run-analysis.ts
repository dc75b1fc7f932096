import type { TrainingThresholds } from '@sentinel/service-kit/config';
import { type Checkpoint, CheckpointWatch } from './checkpoint-watch.js';
import type { Finding, Moment } from './finding.js';
import { Invariants } from './invariants.js';
import { LossWatch } from './loss-watch.js';
import { NormWatch } from './norm-watch.js';
import { type Product, ProductChecksums } from './product-checksums.js';
import { RankEffects } from './rank-effects.js';
import { type Replay, ReplayWatch } from './replay-watch.js';
import { type Held, ReplicaWatch } from './replica-watch.js';
import { byRank, meanOfFinite, type StepSample } from './step-sample.js';

const MILLION = 1e6;

/** What does not change while a run lasts. */
export interface RunShape {
  /** By rank; 0 = of a group of its own. */
  readonly groups: readonly number[];
  /** Ranks of this node: others are judged by the analysers of theirs. */
  readonly local: readonly number[];
}

interface Charts {
  readonly norms: NormWatch;
  readonly loss: LossWatch;
  readonly effects: RankEffects;
  readonly invariants: Invariants;
  readonly products: ProductChecksums;
}

/** All analysers of one run of one job. Plain data in, findings out: no clock, no randomness, no input or output. */
export class RunAnalysis {
  readonly #shape: RunShape;
  #thresholds: TrainingThresholds;
  #charts: Charts;
  readonly #replicas = new ReplicaWatch();
  readonly #replays = new ReplayWatch();
  readonly #checkpoints = new CheckpointWatch();

  constructor(shape: RunShape, thresholds: TrainingThresholds) {
    this.#shape = shape;
    this.#thresholds = thresholds;
    this.#charts = chartsOf(thresholds);
  }

  /** Charts begin anew under the new limits; what is known of agreements stays. */
  retune(thresholds: TrainingThresholds): void {
    this.#thresholds = thresholds;
    this.#charts = chartsOf(thresholds);
  }

  /** Products that no chart judged, because there are too many kinds of them. */
  get productsNotJudged(): number {
    return this.#charts.products.notJudged;
  }

  replicas(held: Held, moment: Moment): Finding[] {
    const { weight_checksum: wanted, min_consensus_ranks: consensus } = this.#thresholds.cross_rank;
    return wanted.enabled ? this.#replicas.round(held, this.#shape.groups, consensus, moment) : [];
  }

  replay(replay: Replay, moment: Moment): Finding[] {
    return this.#replays.round(replay, moment);
  }

  /** @param reports of one step, all saved or all loaded */
  checkpoints(reports: readonly Omit<Checkpoint, 'group'>[], moment: Moment): Finding[] {
    const { checkpoint, cross_rank } = this.#thresholds;
    const limits = {
      maxSizeChange: checkpoint.max_size_change_fraction,
      crossRank: checkpoint.cross_rank_hash_check,
      minConsensus: cross_rank.min_consensus_ranks,
    };
    const grouped = reports.map((report) => ({ ...report, group: this.#shape.groups[report.rank] ?? 0 }));
    return this.#checkpoints.round(grouped, limits, moment);
  }

  product(product: Product, moment: Moment): Finding[] {
    return this.#charts.products.check(product, moment);
  }

  /**
   * @param samples of one step, of ranks of this node
   * @param layers names of the layers of a rank
   */
  step(samples: readonly StepSample[], layers: (rank: number) => readonly string[], moment: Moment): Finding[] {
    const { groups, local } = this.#shape;
    const { norms, loss, effects, invariants } = this.#charts;
    const all = groups.map((_, rank) => rank);
    const rankNorms = byRank(samples, groups.length, 'rankNorms', 'localNorm');
    const rankLosses = byRank(samples, groups.length, 'rankLosses', 'loss');
    const [norm] = samples.map((sample) => sample.norm).filter((value) => value !== undefined);
    const [rate] = samples.map((sample) => sample.learningRate).filter((value) => value !== undefined);
    const mean = meanOfFinite(rankLosses);
    return [
      ...invariants.step(samples, groups, moment),
      ...(norm === undefined || Number.isNaN(norm) ? [] : norms.global(norm, all, moment)),
      ...norms.ranks(rankNorms, local, moment),
      ...samples.flatMap((sample) => norms.layers(sample, layers(sample.rank), moment)),
      ...effects.norms(rankNorms, local, moment),
      ...effects.losses(rankLosses, local, moment),
      ...(Number.isFinite(mean) ? loss.step(mean, rate, all, moment) : []),
    ];
  }
}

function chartsOf(thresholds: TrainingThresholds): Charts {
  const { gradient_norm, loss, cross_rank, invariants, product_checksum, false_alarms } = thresholds;
  const probability = false_alarms.per_million / MILLION;
  const bounds = {
    maxNorm: gradient_norm.absolute_max,
    minNorm: gradient_norm.absolute_min,
    maxLoss: loss.absolute_max,
    maxReducedDivergence: cross_rank.max_divergence,
    divergenceSeverity: cross_rank.severity,
  };
  return {
    norms: new NormWatch(gradient_norm, probability),
    loss: new LossWatch(loss, probability),
    effects: new RankEffects(cross_rank.rank_effect, cross_rank.severity),
    invariants: new Invariants(invariants, bounds),
    products: new ProductChecksums(product_checksum, probability),
  };
}
