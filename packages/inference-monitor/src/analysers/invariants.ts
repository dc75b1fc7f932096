import { shown } from '@sentinel/monitor-kit/severity';
import type { InferenceThresholds } from '@sentinel/service-kit/config';
import type { Detector, Finding } from './finding.js';
import { isCoarse } from './precision.js';
import type { OutputStats, Sample, TokenBlock } from './sample.js';

/** Requests without a violation that end an episode. */
const QUIET = 100;

/** First requests of a model, by which it shows what is usual for it. */
const FIRST = 200;

/** Share of them that makes something usual. */
const USUAL = 0.5;

/**
 * Probabilities that are computed in bfloat16, or printed with three decimals, miss their sum by no more. Where that is in so many of the
 * first requests it is rounding.
 */
const ROUNDED_SUM = 0.01;
const USUAL_ROUNDING = 0.05;

/** Output tensors of one model that are told apart. */
const MAX_OUTPUTS = 64;

type Limits = InferenceThresholds['invariants'];

interface Violation {
  readonly detector: Detector;
  /** Tells one from another of the same detector. */
  readonly what: string;
  readonly value: number;
  readonly limit: number;
  readonly detail: string;
  /** Some models and settings are so, whatever computes them: a share of the first requests that makes it usual; null = none does. */
  readonly usual: number | null;
  /** Of numbers that were rounded: no fault can be told from that. */
  readonly isRounding?: boolean;
}

/** Of one model: what must hold in each request. Each violation is told once, until it has been absent for a while. */
export class Invariants {
  readonly #limits: Limits;
  /** By kind, requests since it was seen last, and whether it was told that it is wrong. */
  readonly #open = new Map<string, { quiet: number; isTold: boolean }>();
  /** By kind, how many of the first requests had it. */
  readonly #early = new Map<string, number>();
  #requests = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  take(sample: Sample): Finding[] {
    this.#requests += 1;
    for (const [key, open] of this.#open) {
      if (open.quiet >= QUIET) this.#open.delete(key);
      else open.quiet += 1;
    }
    const found = [...this.#ofTokens(sample.blocks), ...this.#ofOutputs(sample.outputs)];
    return found.flatMap((violation) => this.#tell(violation, sample.timeUs));
  }

  #tell({ what, usual, isRounding = false, ...violation }: Violation, timeUs: number): Finding[] {
    const key = `${violation.detector} ${what}`;
    const known = this.#open.get(key);
    if (usual !== null && this.#isUsual(key, usual)) {
      this.#open.set(key, { quiet: 0, isTold: false });
      return [];
    }
    // What began among the first requests and turns out not to be usual is told then.
    const isWrong = !isRounding && (usual === null || this.#requests > FIRST);
    this.#open.set(key, { quiet: 0, isTold: known?.isTold === true || isWrong });
    if (known !== undefined && (known.isTold || !isWrong)) return [];
    const severity = isWrong ? 'HIGH' : 'INFO';
    return [{ type: 'INVARIANT_VIOLATION', severity, workers: 'all', timeUs, ...violation }];
  }

  #isUsual(key: string, share: number): boolean {
    const early = this.#early.get(key) ?? 0;
    if (this.#requests <= FIRST) this.#early.set(key, early + 1);
    return this.#requests > FIRST && early > share * FIRST;
  }

  *#ofTokens(blocks: readonly TokenBlock[]): Iterable<Violation> {
    const { softmax_sum_tolerance: tolerance, max_logit_magnitude, non_negative_probs, no_nan_inf } = this.#limits;
    const token = { what: 'tokens', usual: null };
    const impossible = blocks.reduce((sum, block) => sum + block.impossible + notFinite(block), 0);
    if (impossible > 0 && no_nan_inf) {
      const detail = `${impossible} values behind one answer are not finite, or no probabilities`;
      yield { ...token, detector: 'nonfinite', value: impossible, limit: 0, detail };
    }
    const logprob = largest(blocks.flatMap((block) => block.logprobs));
    if (logprob > tolerance && non_negative_probs) {
      const detail = `The logarithm of a probability is ${shown(logprob)}, above 0`;
      yield { ...token, detector: 'probability', value: logprob, limit: tolerance, detail };
    }
    const excess = largest(blocks.map((block) => block.excess ?? 0));
    if (excess > tolerance) {
      const detail = `Probabilities of one token are off their sum of 1 by ${shown(excess)}`;
      const isGross = excess > ROUNDED_SUM;
      const isRounding = !isGross && isCoarse(blocks.flatMap((block) => block.logprobs));
      const kind = { what: isGross ? 'sum' : 'rounded sum', usual: isGross ? null : USUAL_ROUNDING, isRounding };
      yield { detector: 'probability', ...kind, value: excess, limit: tolerance, detail };
    }
    const logit = largest(blocks.map((block) => block.maxLogit ?? 0));
    if (logit > max_logit_magnitude) {
      const detail = `A logit of magnitude ${shown(logit)}`;
      yield { detector: 'range', what: 'logit', value: logit, limit: max_logit_magnitude, detail, usual: USUAL };
    }
  }

  *#ofOutputs(outputs: readonly OutputStats[]): Iterable<Violation> {
    if (!this.#limits.no_nan_inf) return;
    for (const { name, nonfinite, elements } of outputs.slice(0, MAX_OUTPUTS)) {
      if (nonfinite === 0) continue;
      const detail = `${nonfinite} of ${elements} values of output ${name} are not finite`;
      yield { detector: 'nonfinite', what: `output ${name}`, value: nonfinite, limit: 0, detail, usual: USUAL };
    }
  }
}

function notFinite({ logprobs, entropy, topLogprob, maxLogit, excess }: TokenBlock): number {
  let count = 0;
  for (const value of logprobs) if (!Number.isFinite(value)) count += 1;
  for (const value of [entropy, topLogprob, maxLogit, excess]) {
    if (value !== undefined && !Number.isFinite(value)) count += 1;
  }
  return count;
}

/** NaN is counted elsewhere. */
function largest(values: readonly number[]): number {
  return values.reduce((most, value) => (Number.isNaN(value) ? most : Math.max(most, value)), Number.NEGATIVE_INFINITY);
}
