import { severityOf, shown } from '@sentinel/monitor-kit/severity';
import type { InferenceThresholds } from '@sentinel/service-kit/config';
import type { Finding } from './finding.js';
import type { BlockVerdict } from './statistic-watch.js';

/** Mean entropy of so many requests that it is of no single answer, against the level of the reference. */
export class EntropyRange {
  readonly #limits: InferenceThresholds['entropy'];
  #sum = 0;
  #requests = 0;
  #blocks = 0;
  #alarmed = false;

  constructor(limits: InferenceThresholds['entropy']) {
    this.#limits = limits;
  }

  /** @param block of at least block_ewma.min_requests */
  take({ mean, requests, reference, advisory }: BlockVerdict, timeUs: number): Finding[] {
    this.#sum += mean * requests;
    this.#requests += requests;
    this.#blocks += 1;
    if (this.#requests < this.#limits.window_size) return [];
    const pooled = this.#sum / this.#requests;
    const blocks = this.#blocks;
    this.#sum = 0;
    this.#requests = 0;
    this.#blocks = 0;
    if (reference === null) return [];
    const scale = reference.scale / Math.sqrt(blocks);
    const broken = this.#broken(pooled, reference.level, scale);
    const first = broken !== null && !this.#alarmed;
    this.#alarmed = broken !== null;
    if (!first) return [];
    const { sigma_threshold: limit, severity: severities } = this.#limits;
    const value = (pooled - reference.level) / scale;
    const severity = advisory.mean ? 'INFO' : severityOf(Math.abs(value), severities);
    const detail = `The mean entropy is ${shown(pooled)} nats, ${shown(Math.abs(value))} standard deviations from the usual ${shown(reference.level)}: ${broken}`;
    const known = { type: 'ENTROPY_ANOMALY', detector: 'entropy-range', workers: 'all' } as const;
    return [{ ...known, severity, timeUs, value, limit, detail }];
  }

  #broken(mean: number, level: number, scale: number): string | null {
    const { min_entropy, max_entropy, max_deviation, sigma_threshold } = this.#limits;
    if (!(Math.abs(mean - level) > sigma_threshold * scale)) return null;
    if (mean < min_entropy && level >= min_entropy) return `a collapse below ${min_entropy}`;
    if (mean > max_entropy && level <= max_entropy) return `an explosion above ${max_entropy}`;
    return Math.abs(mean - level) > max_deviation ? `a deviation of more than ${max_deviation}` : null;
  }
}
