import { type Severities, type Severity, severityOf, shown } from '@sentinel/monitor-kit/severity';
import type { Detector, Finding, Moment } from './finding.js';
import type { StepSample } from './step-sample.js';

/** Steps without a violation that end an episode. */
const QUIET = 10;

/** Measured steps over which gradients that are not finite are counted. */
const NONFINITE_WINDOW = 100;

export interface InvariantLimits {
  readonly no_nan_weights: boolean;
  readonly no_inf_weights: boolean;
  readonly no_nan_gradients: boolean;
  readonly max_nonfinite_fraction: number;
  readonly max_weight_magnitude: number;
  readonly max_weight_update: number;
  readonly max_learning_rate: number;
}

/** Absolute bounds of the guide's other sections; advisory. */
export interface Bounds {
  readonly maxNorm: number;
  readonly minNorm: number;
  readonly maxLoss: number;
  readonly maxReducedDivergence: number;
  readonly divergenceSeverity: Severities;
}

interface Violation {
  readonly detector: Detector;
  readonly severity: Severity;
  readonly ranks: readonly number[];
  readonly value: number;
  readonly limit: number;
  readonly detail: string;
}

/** Of one run: what must always hold. Each violation is told once, until it has been absent for a while. */
export class Invariants {
  readonly #limits: InvariantLimits;
  readonly #bounds: Bounds;
  /** By kind and ranks, steps since it was seen last. */
  readonly #open = new Map<string, number>();
  /** By rank, whether each of the last measured steps had gradients that were not finite. */
  readonly #nonfinite = new Map<number, boolean[]>();

  constructor(limits: InvariantLimits, bounds: Bounds) {
    this.#limits = limits;
    this.#bounds = bounds;
  }

  /** @param samples of one step, of ranks of this node @param groups by rank, who holds the same parameters */
  step(samples: readonly StepSample[], groups: readonly number[], moment: Moment): Finding[] {
    const found = [...this.#ofParameters(samples), ...this.#ofGradients(samples), ...this.#ofJob(samples)];
    found.push(...this.#ofReducedNorms(samples, groups));
    for (const [key, quiet] of this.#open) {
      if (quiet >= QUIET) this.#open.delete(key);
      else this.#open.set(key, quiet + 1);
    }
    return found.flatMap((violation) => {
      const key = `${violation.detector} ${violation.severity} ${violation.ranks.join(',')}`;
      const known = this.#open.has(key);
      this.#open.set(key, 0);
      return known ? [] : [{ ...moment, type: typeOf(violation.detector), ...violation }];
    });
  }

  #ofParameters(samples: readonly StepSample[]): Violation[] {
    const limits = this.#limits;
    const finite = limits.no_nan_weights || limits.no_inf_weights;
    const base = { detector: 'range' } as const;
    return [
      ...(finite
        ? named(samples, ({ nonfiniteWeights }) => nonfiniteWeights, 0, 'parameters that are not finite', 'nonfinite')
        : []),
      ...named(
        samples,
        ({ maxWeight }) => maxWeight,
        limits.max_weight_magnitude,
        'a parameter of magnitude',
        base.detector,
      ),
      ...named(
        samples,
        ({ maxUpdate }) => maxUpdate,
        limits.max_weight_update,
        'an update of magnitude',
        base.detector,
      ),
    ];
  }

  /** Mixed precision meets infinity while it looks for its scale: seldom is no matter. */
  #ofGradients(samples: readonly StepSample[]): Violation[] {
    if (!this.#limits.no_nan_gradients) return [];
    const limit = this.#limits.max_nonfinite_fraction;
    const fractions = samples.map(({ rank, nonfiniteGradients }) => {
      const recent = this.#nonfinite.get(rank) ?? [];
      recent.push(nonfiniteGradients > 0);
      if (recent.length > NONFINITE_WINDOW) recent.shift();
      this.#nonfinite.set(rank, recent);
      return { rank, fraction: recent.filter(Boolean).length / NONFINITE_WINDOW, now: nonfiniteGradients > 0 };
    });
    const now = fractions.filter((entry) => entry.now);
    if (now.length === 0) return [];
    const often = now.filter(({ fraction }) => fraction > limit);
    const ranks = (often.length > 0 ? often : now).map(({ rank }) => rank);
    const value = Math.max(...now.map(({ fraction }) => fraction));
    const severity = often.length > 0 ? 'WARNING' : 'INFO';
    const detail = `Gradients of rank ${ranks.join(', ')} are not finite in ${shown(100 * value)} % of the last ${NONFINITE_WINDOW} measured steps`;
    return [{ detector: 'nonfinite', severity, ranks, value, limit, detail }];
  }

  /** Settings and magnitudes of the job: they accuse no device. */
  #ofJob(samples: readonly StepSample[]): Violation[] {
    const { maxNorm, minNorm, maxLoss } = this.#bounds;
    const ranks = samples.map(({ rank }) => rank);
    const worst = (read: (sample: StepSample) => number | undefined) =>
      Math.max(...samples.map((sample) => read(sample) ?? Number.NEGATIVE_INFINITY));
    const tell = (value: number, limit: number, what: string): Violation[] =>
      value > limit
        ? [
            {
              detector: 'setting',
              severity: 'INFO',
              ranks,
              value,
              limit,
              detail: `${what} ${shown(value)} is above ${limit}`,
            },
          ]
        : [];
    const norm = worst(({ norm: reduced }) => reduced);
    const small = norm < minNorm && Number.isFinite(norm);
    const detail = `The norm of the gradients ${shown(norm)} is below ${minNorm}`;
    return [
      ...tell(norm, maxNorm, 'The norm of the gradients'),
      ...tell(
        worst(({ loss }) => loss),
        maxLoss,
        'The loss',
      ),
      ...tell(
        worst(({ learningRate }) => learningRate),
        this.#limits.max_learning_rate,
        'The learning rate',
      ),
      ...(small
        ? [{ detector: 'setting', severity: 'INFO', ranks, value: norm, limit: minNorm, detail } as const]
        : []),
    ];
  }

  /** What was reduced is the same on all ranks that hold the same parameters. */
  #ofReducedNorms(samples: readonly StepSample[], groups: readonly number[]): Violation[] {
    const measured = samples.flatMap(({ rank, norm }) =>
      norm !== undefined && Number.isFinite(norm) ? [{ rank, norm }] : [],
    );
    const byGroup = Map.groupBy(measured, ({ rank }) => groups[rank] ?? 0);
    return [...byGroup].flatMap(([group, members]) => {
      if (group === 0 || members.length < 2) return [];
      const sorted = members.map(({ norm }) => norm).sort((a, b) => a - b);
      const middle = sorted[(sorted.length - 1) >> 1] ?? 0;
      const far = members.filter(({ norm }) => distance(norm, middle) > this.#bounds.maxReducedDivergence);
      if (far.length === 0) return [];
      const ranks = members.length === 2 ? members.map(({ rank }) => rank) : far.map(({ rank }) => rank);
      const value = Math.max(...far.map(({ norm }) => distance(norm, middle)));
      const detail = `The reduced norm of the gradients differs by ${shown(100 * value)} % on rank ${ranks.join(', ')} from that of the other replicas`;
      const severity = severityOf(value, this.#bounds.divergenceSeverity);
      return [{ detector: 'reduced-norm', severity, ranks, value, limit: this.#bounds.maxReducedDivergence, detail }];
    });
  }
}

/** One violation: of the ranks that have it alone, or of all that there are, who then accuse nobody in particular. */
function named(
  samples: readonly StepSample[],
  read: (sample: StepSample) => number | undefined,
  limit: number,
  what: string,
  detector: 'range' | 'nonfinite',
): Violation[] {
  const beyond = samples.filter((sample) => !((read(sample) ?? 0) <= limit));
  const [worst] = beyond.toSorted((a, b) => (read(b) ?? 0) - (read(a) ?? 0));
  if (worst === undefined) return [];
  const ranks = beyond.map(({ rank }) => rank);
  const value = read(worst) ?? 0;
  const severity = beyond.length < samples.length ? 'HIGH' : 'WARNING';
  const detail = `Rank ${ranks.join(', ')} has ${what} (${shown(value)}, limit ${limit})`;
  return [{ detector, severity, ranks, value, limit, detail }];
}

function distance(value: number, middle: number): number {
  return middle === 0 ? Math.abs(value) : Math.abs(value / middle - 1);
}

function typeOf(detector: Detector): Finding['type'] {
  return detector === 'reduced-norm' ? 'CROSS_RANK_DIVERGENCE' : 'INVARIANT_VIOLATION';
}
