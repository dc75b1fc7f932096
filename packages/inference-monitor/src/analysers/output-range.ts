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

/** Largest magnitude in each output tensor of one model, as a spike chart of its binary logarithm. */
export class OutputRange {
  readonly #limits: InferenceThresholds;
  readonly #charts = new Map<string, SpikeChart>();

  constructor(limits: InferenceThresholds) {
    this.#limits = limits;
  }

  take({ outputs, timeUs }: Sample): Finding[] {
    return outputs.flatMap(({ name, min, max }) => {
      const magnitude = Math.max(Math.abs(min ?? 0), Math.abs(max ?? 0));
      if (!Number.isFinite(magnitude) || magnitude === 0) return [];
      const spike = this.#chartOf(name)?.push(Math.log2(magnitude));
      if (spike?.first !== true) return [];
      const { deviation: value, limit } = spike;
      const detail = `Output ${name} has a value of magnitude ${shown(magnitude)}, ${shown(value)} standard deviations above the usual (limit ${shown(limit)})`;
      const known = { type: 'INVARIANT_VIOLATION', detector: 'range', severity: 'WARNING' } as const;
      return [{ ...known, workers: 'all', timeUs, value, limit, detail }];
    });
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
