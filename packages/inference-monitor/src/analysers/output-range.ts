import { SpikeChart } from '@sentinel/monitor-kit/charts/spike-chart';
import { shown } from '@sentinel/monitor-kit/severity';
import type { InferenceThresholds } from '@sentinel/service-kit/config';
import type { Finding } from './finding.js';
import type { Sample } from './sample.js';

const MILLION = 1e6;

/** Output tensors of one model that are charted. */
export const MAX_OUTPUTS = 64;

/** Scale that is never undercut: binary orders of magnitude. */
const MIN_SCALE = 0.05;

/**
 * Some models write a mask now and then, or another constant that stands for nothing: the very same number so often is theirs. What a fault
 * makes of numbers differs as they do.
 */
const USUAL_AFTER = 3;

/** Numbers far beyond the usual that are remembered; the oldest gives way. */
const MAX_CONSTANTS = 256;

/** Largest magnitude in each output tensor of one model, as a spike chart of its binary logarithm. */
export class OutputRange {
  readonly #limits: InferenceThresholds;
  readonly #charts = new Map<string, SpikeChart>();
  /** By output and number, how often it was beyond the limit. */
  readonly #constants = new Map<string, number>();

  constructor(limits: InferenceThresholds) {
    this.#limits = limits;
  }

  take({ outputs, timeUs }: Sample): Finding[] {
    return outputs.flatMap(({ name, min, max }) => {
      const magnitude = Math.max(Math.abs(min ?? 0), Math.abs(max ?? 0));
      if (!Number.isFinite(magnitude) || magnitude === 0) return [];
      const constant = `${magnitude} ${name}`;
      if ((this.#constants.get(constant) ?? 0) >= USUAL_AFTER) return [];
      const spike = this.#chartOf(name)?.push(Math.log2(magnitude)) ?? null;
      if (spike !== null) this.#count(constant);
      if (spike?.first !== true) return [];
      const { deviation: value, limit } = spike;
      const detail = `Output ${name} has a value of magnitude ${shown(magnitude)}, ${shown(value)} standard deviations above the usual (limit ${shown(limit)})`;
      const known = { type: 'INVARIANT_VIOLATION', detector: 'range', severity: 'WARNING' } as const;
      return [{ ...known, workers: 'all', timeUs, value, limit, detail }];
    });
  }

  #count(constant: string): void {
    this.#constants.set(constant, (this.#constants.get(constant) ?? 0) + 1);
    const [oldest] = this.#constants.keys();
    if (this.#constants.size > MAX_CONSTANTS && oldest !== undefined) this.#constants.delete(oldest);
  }

  #chartOf(name: string): SpikeChart | undefined {
    const known = this.#charts.get(name);
    if (known !== undefined || this.#charts.size >= MAX_OUTPUTS) return known;
    const { output_range, false_alarms } = this.#limits;
    const chart = new SpikeChart({
      window: output_range.window_size,
      least: output_range.sigma_threshold,
      probability: false_alarms.per_million / MILLION,
      side: 'up',
      minScale: MIN_SCALE,
    });
    this.#charts.set(name, chart);
    return chart;
  }
}
