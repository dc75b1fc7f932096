import { SpikeChart } from '@sentinel/monitor-kit/charts/spike-chart';
import { type Severities, severityOf, shown } from '@sentinel/monitor-kit/severity';
import type { Finding, Moment } from './finding.js';

/** A learning rate that changes by more from one measured step to the next begins a new level. */
const JUMP = 1.5;

/** Learning rates that are remembered: a rise within so many measured steps allows larger losses. */
const RATES = 50;

/** Of the loss's own size: a loss that does not move is no scale. */
const MIN_SCALE = 1e-4;

export interface LossLimits {
  readonly window_size: number;
  readonly spike_threshold: number;
  readonly lr_aware: boolean;
  readonly plateau_detection: {
    readonly enabled: boolean;
    readonly patience_steps: number;
    readonly min_improvement: number;
  };
  readonly severity: Severities;
}

/** The mean loss of one run: spikes upwards, and plateaus. Every rank has a part in it, so that it accuses none. */
export class LossWatch {
  readonly #limits: LossLimits;
  readonly #chart: SpikeChart;
  readonly #rates: number[] = [];
  #best = Number.POSITIVE_INFINITY;
  #bestStep = 0;
  #flat = false;

  /** @param probability of a healthy sample to pass the limit */
  constructor(limits: LossLimits, probability: number) {
    this.#limits = limits;
    const { window_size: window, spike_threshold: least } = limits;
    this.#chart = new SpikeChart({ window, least, probability, side: 'up', minScale: MIN_SCALE });
  }

  /** @param loss mean over the ranks, finite */
  step(loss: number, learningRate: number | undefined, ranks: readonly number[], moment: Moment): Finding[] {
    const allowance = this.#limits.lr_aware && learningRate !== undefined ? this.#follow(learningRate) : 1;
    const spike = this.#chart.push(loss, allowance);
    const plateau = this.#plateau(loss, ranks, moment);
    if (spike === null || !spike.first) return plateau;
    const { deviation, limit } = spike;
    const detail = `The loss is ${shown(loss)}, ${shown(deviation)} standard deviations above its median (limit ${shown(limit)})`;
    const severity = severityOf(deviation, this.#limits.severity);
    const base = { ...moment, type: 'LOSS_SPIKE', detector: 'loss', severity } as const;
    return [{ ...base, ranks, value: deviation, limit, detail }, ...plateau];
  }

  /** @returns by how much the limit is widened for a learning rate that rose */
  #follow(rate: number): number {
    const last = this.#rates.at(-1) ?? rate;
    if (rate > JUMP * last || last > JUMP * rate) {
      this.#chart.restart();
      this.#rates.length = 0;
    }
    this.#rates.push(rate);
    if (this.#rates.length > RATES) this.#rates.shift();
    const least = Math.min(...this.#rates);
    return least > 0 ? Math.max(1, rate / least) : 1;
  }

  #plateau(loss: number, ranks: readonly number[], moment: Moment): Finding[] {
    const { enabled, patience_steps: limit, min_improvement: improvement } = this.#limits.plateau_detection;
    if (loss < this.#best - improvement * Math.abs(this.#best) || this.#best === Number.POSITIVE_INFINITY) {
      this.#best = loss;
      this.#bestStep = moment.step;
      this.#flat = false;
      return [];
    }
    const value = moment.step - this.#bestStep;
    if (!enabled || this.#flat || value < limit) return [];
    this.#flat = true;
    const detail = `The loss has not improved on ${shown(this.#best)} for ${value} steps`;
    return [{ ...moment, type: 'LOSS_SPIKE', detector: 'plateau', severity: 'INFO', ranks, value, limit, detail }];
  }
}
