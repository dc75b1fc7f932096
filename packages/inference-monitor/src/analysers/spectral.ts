import { concentrationTail, strongestFrequency } from '@sentinel/monitor-kit/charts/fisher-g';
import { shown } from '@sentinel/monitor-kit/severity';
import type { InferenceThresholds } from '@sentinel/service-kit/config';
import type { Finding } from './finding.js';

const MILLION = 1e6;

/** Looks for a period in the entropy of successive requests, less its mean. */
export class Spectral {
  readonly #limits: InferenceThresholds['spectral'];
  readonly #probability: number;
  readonly #size: number;
  #series: number[] = [];

  constructor({ spectral, false_alarms }: InferenceThresholds) {
    this.#limits = spectral;
    this.#probability = false_alarms.per_million / MILLION;
    this.#size = 2 ** Math.floor(Math.log2(spectral.fft_window_size));
  }

  /** @param value NaN = not measured */
  take(value: number, timeUs: number): Finding[] {
    if (!this.#limits.enabled || !Number.isFinite(value)) return [];
    this.#series.push(value);
    if (this.#series.length < this.#size) return [];
    const series = this.#series;
    this.#series = [];
    const { monitor_freq_low, monitor_freq_high, max_spectral_concentration: limit } = this.#limits;
    const peak = strongestFrequency(series, monitor_freq_low, monitor_freq_high);
    if (peak === null || peak.concentration <= limit) return [];
    if (concentrationTail(peak.concentration, peak.frequencies) > this.#probability) return [];
    const detail = `${shown(100 * peak.concentration)} % of the power in the entropy of ${this.#size} requests repeats every ${shown(1 / peak.frequency)} of them`;
    const known = { type: 'ENTROPY_ANOMALY', detector: 'spectral', severity: 'WARNING', workers: 'all' } as const;
    return [{ ...known, timeUs, value: peak.concentration, limit, detail }];
  }
}
