import { BlockCusum, type Shift } from '@sentinel/monitor-kit/charts/block-cusum';
import { leaveOneOut } from '@sentinel/monitor-kit/charts/leave-one-out';
import { type Severities, severityOf, shown } from '@sentinel/monitor-kit/severity';
import type { Finding, Moment } from './finding.js';

export interface EffectLimits {
  readonly block_samples: number;
  readonly reference_blocks: number;
  readonly allowance: number;
  readonly limit: number;
}

/** Of one run: ranks whose gradients or losses drift away from those of the others, too little to show in one step. */
export class RankEffects {
  readonly #limits: EffectLimits;
  readonly #severities: Severities;
  readonly #norms = new Map<number, BlockCusum>();
  readonly #losses = new Map<number, BlockCusum>();

  /** @param severities of a relative difference */
  constructor(limits: EffectLimits, severities: Severities) {
    this.#limits = limits;
    this.#severities = severities;
  }

  /** @param norms by rank; not finite = not known @param judged ranks that are charted */
  norms(norms: readonly number[], judged: readonly number[], moment: Moment): Finding[] {
    const logs = norms.map((norm) => (norm > 0 ? Math.log(norm) : Number.NaN));
    return this.#push(this.#norms, leaveOneOut(logs), judged, moment, (rank, { shift }) => {
      const ratio = Math.exp(shift);
      const what = `The norm of the gradients of rank ${rank} has become ${shown(ratio)} times what it was beside the others`;
      return { detector: 'rank-effect-norm', size: Math.abs(ratio - 1), what };
    });
  }

  /** The same of the losses, where all are above zero: what a rank adds to a loss shrinks with the loss. */
  losses(losses: readonly number[], judged: readonly number[], moment: Moment): Finding[] {
    if (losses.some((loss) => loss <= 0)) return [];
    return this.#push(this.#losses, leaveOneOut(losses.map(Math.log)), judged, moment, (rank, { shift }) => {
      const ratio = Math.exp(shift);
      const what = `The loss of rank ${rank} has become ${shown(ratio)} times what it was beside the others`;
      return { detector: 'rank-effect-loss', size: Math.abs(ratio - 1), what };
    });
  }

  #push(
    charts: Map<number, BlockCusum>,
    effects: readonly number[],
    judged: readonly number[],
    moment: Moment,
    describe: (rank: number, shift: Shift) => Pick<Finding, 'detector'> & { size: number; what: string },
  ): Finding[] {
    return judged.flatMap((rank) => {
      const effect = effects[rank] ?? Number.NaN;
      if (!Number.isFinite(effect)) return [];
      const chart = charts.get(rank) ?? this.#chart();
      charts.set(rank, chart);
      const shift = chart.push(effect);
      if (shift === null) return [];
      const { detector, size, what } = describe(rank, shift);
      const { sum: value, limit, blocks } = shift;
      const detail = `${what} over ${blocks} blocks of ${this.#limits.block_samples} comparisons (CUSUM ${shown(value)}, limit ${shown(limit)})`;
      const severity = severityOf(size, this.#severities);
      return [{ ...moment, type: 'CROSS_RANK_DIVERGENCE', detector, severity, ranks: [rank], value, limit, detail }];
    });
  }

  #chart(): BlockCusum {
    const { block_samples: block, reference_blocks: reference, allowance, limit } = this.#limits;
    return new BlockCusum({ block, reference, allowance, limit });
  }
}
