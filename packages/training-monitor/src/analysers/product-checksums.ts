import { SpikeChart } from '@sentinel/monitor-kit/charts/spike-chart';
import { type Severity, shown } from '@sentinel/monitor-kit/severity';
import type { Finding, Moment } from './finding.js';

/** Kinds of products that are charted; more are counted as not judged. */
const MAX_KINDS = 256;

const WINDOW = 500;

/** Natural logarithm: errors of one kind of product differ at least so much. */
const MIN_SCALE = 0.05;

/** An error of zero has no logarithm. */
const LEAST_ERROR = 1e-18;

export interface Product {
  readonly rank: number;
  readonly op: string;
  readonly layer: string;
  readonly shape: string;
  readonly dtype: string;
  readonly relativeError: number;
}

export interface ProductLimits {
  readonly min_samples: number;
  readonly sigma_threshold: number;
}

/** Checksums of sampled matrix products: each against those of the same operation, shape and type on all ranks of the node. */
export class ProductChecksums {
  readonly #limits: ProductLimits;
  readonly #probability: number;
  readonly #kinds = new Map<string, { chart: SpikeChart; samples: number }>();
  /** Products of kinds beyond the bound. */
  notJudged = 0;

  constructor(limits: ProductLimits, probability: number) {
    this.#limits = limits;
    this.#probability = probability;
  }

  check({ rank, op, layer, shape, dtype, relativeError }: Product, moment: Moment): Finding[] {
    const kind = this.#kindOf(`${op} ${shape} ${dtype}`);
    const where = `${op} of ${layer} (${shape}, ${dtype}) on rank ${rank}`;
    if (!Number.isFinite(relativeError)) {
      return [finding('WARNING', rank, relativeError, 0, `The checksum of ${where} is not a number`, moment)];
    }
    if (kind === null) return [];
    kind.samples += 1;
    const spike = kind.chart.push(Math.log(Math.max(LEAST_ERROR, relativeError)));
    if (spike === null || kind.samples <= this.#limits.min_samples) return [];
    const { deviation, limit } = spike;
    const detail = `The product of ${where} misses its checksum by ${shown(relativeError)}, ${shown(deviation)} standard deviations above others (limit ${shown(limit)})`;
    return [finding('HIGH', rank, deviation, limit, detail, moment)];
  }

  #kindOf(name: string): { chart: SpikeChart; samples: number } | null {
    const known = this.#kinds.get(name);
    if (known !== undefined) return known;
    if (this.#kinds.size >= MAX_KINDS) {
      this.notJudged += 1;
      return null;
    }
    const options = { window: WINDOW, least: this.#limits.sigma_threshold, probability: this.#probability };
    const kind = { chart: new SpikeChart({ ...options, side: 'up', minScale: MIN_SCALE }), samples: 0 };
    this.#kinds.set(name, kind);
    return kind;
  }
}

function finding(
  severity: Severity,
  rank: number,
  value: number,
  limit: number,
  detail: string,
  moment: Moment,
): Finding {
  const base = { ...moment, type: 'INVARIANT_VIOLATION', detector: 'product-checksum' } as const;
  return { ...base, severity, ranks: [rank], value, limit, detail };
}
