import { leaveOneOut } from '@sentinel/monitor-kit/charts/leave-one-out';
import { Deviations, type Spike, SpikeChart } from '@sentinel/monitor-kit/charts/spike-chart';
import { type Severities, severityOf, shown } from '@sentinel/monitor-kit/severity';
import type { Finding, Moment } from './finding.js';
import type { StepSample } from './step-sample.js';

/** Natural logarithm: norms that differ by less than a tenth of a percent are equal. */
const MIN_SCALE = 1e-3;

/** Natural logarithm of a norm of zero. */
const LOG_ZERO = -70;

/** Layers of a rank that are charted. */
const MAX_LAYERS = 512;

export interface NormLimits {
  readonly window_size: number;
  readonly sigma_threshold: number;
  readonly per_layer: boolean;
  readonly severity: Severities;
}

/** Norms of gradients in one run, on a logarithmic scale: of the job, of each rank against the others, of the layers of each rank. */
export class NormWatch {
  readonly #limits: NormLimits;
  readonly #probability: number;
  readonly #global: SpikeChart;
  readonly #ranks = new Map<number, SpikeChart>();
  readonly #layers = new Map<number, WorstLayer>();

  /** @param probability of a healthy sample to pass a limit */
  constructor(limits: NormLimits, probability: number) {
    this.#limits = limits;
    this.#probability = probability;
    this.#global = this.#chart();
  }

  /** @param norm of the reduced gradients */
  global(norm: number, ranks: readonly number[], moment: Moment): Finding[] {
    const spike = this.#global.push(logOf(norm));
    const what = `The norm of the gradients is ${shown(norm)}`;
    return this.#found(spike, 'gradient-norm', ranks, what, moment);
  }

  /**
   * @param norms by rank; not finite = not known
   * @param judged ranks that are charted
   */
  ranks(norms: readonly number[], judged: readonly number[], moment: Moment): Finding[] {
    const effects = leaveOneOut(norms.map((norm) => (norm >= 0 ? logOf(norm) : Number.NaN)));
    return judged.flatMap((rank) => {
      const effect = effects[rank] ?? Number.NaN;
      if (!Number.isFinite(effect)) return [];
      const chart = this.#ranks.get(rank) ?? this.#chart();
      this.#ranks.set(rank, chart);
      const what = `The norm of the gradients of rank ${rank} is ${shown(Math.exp(effect))} times that of the others`;
      return this.#found(chart.push(effect), 'rank-gradient-norm', [rank], what, moment);
    });
  }

  layers({ rank, layerNorms }: StepSample, names: readonly string[], moment: Moment): Finding[] {
    if (!this.#limits.per_layer || layerNorms.length === 0) return [];
    const worst = this.#layers.get(rank) ?? new WorstLayer(this.#limits, this.#probability);
    this.#layers.set(rank, worst);
    const { spike, layer } = worst.push(layerNorms);
    const name = names[layer] ?? `number ${layer}`;
    const what = `The gradient of layer ${name} on rank ${rank} has the norm ${shown(layerNorms[layer] ?? 0)}`;
    return this.#found(spike, 'layer-norm', [rank], what, moment);
  }

  #found(
    spike: Spike | null,
    detector: 'gradient-norm' | 'rank-gradient-norm' | 'layer-norm',
    ranks: readonly number[],
    what: string,
    moment: Moment,
  ): Finding[] {
    if (spike === null || !spike.first) return [];
    const { deviation, limit } = spike;
    const detail = `${what}, ${shown(Math.abs(deviation))} standard deviations from its median (limit ${shown(limit)})`;
    const severity = severityOf(Math.abs(deviation), this.#limits.severity);
    return [{ ...moment, type: 'GRADIENT_NORM_SPIKE', detector, severity, ranks, value: deviation, limit, detail }];
  }

  #chart(): SpikeChart {
    const { window_size: window, sigma_threshold: least } = this.#limits;
    return new SpikeChart({ window, least, probability: this.#probability, side: 'both', minScale: MIN_SCALE });
  }
}

/** The layer that is farthest from its own median, as one chart: many layers are not many chances of a false alarm. */
class WorstLayer {
  readonly #limits: NormLimits;
  readonly #layers: Deviations[] = [];
  readonly #farthest: SpikeChart;

  constructor(limits: NormLimits, probability: number) {
    this.#limits = limits;
    const { window_size: window, sigma_threshold: least } = limits;
    this.#farthest = new SpikeChart({ window, least, probability, side: 'up', minScale: 0.1 });
  }

  push(norms: readonly number[]): { spike: Spike | null; layer: number } {
    let layer = 0;
    let farthest = -1;
    for (const [index, norm] of norms.slice(0, MAX_LAYERS).entries()) {
      const distance = Math.abs(this.#layerAt(index).push(logOf(norm)) ?? Number.NaN);
      if (Number.isNaN(distance) || distance <= farthest) continue;
      farthest = distance;
      layer = index;
    }
    return { spike: farthest < 0 ? null : this.#farthest.push(Math.log1p(farthest)), layer };
  }

  #layerAt(index: number): Deviations {
    const layer = this.#layers[index] ?? new Deviations(this.#limits.window_size, MIN_SCALE);
    this.#layers[index] = layer;
    return layer;
  }
}

/** NaN and infinity belong to other detectors: they are as large as a norm can be here. */
function logOf(norm: number): number {
  if (norm === 0) return LOG_ZERO;
  return Number.isFinite(norm) ? Math.log(norm) : -LOG_ZERO;
}
