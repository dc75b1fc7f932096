import { shown } from '@sentinel/monitor-kit/severity';
import type { InferenceThresholds } from '@sentinel/service-kit/config';
import type { Detector, Finding } from './finding.js';
import type { OutputStats, Sample, TokenBlock } from './sample.js';

/** Requests without a violation that end an episode. */
const QUIET = 100;

/** First requests of a model, by which it shows what is usual for it. */
const FIRST = 200;

/** Share of them that makes something usual. */
const USUAL = 0.5;

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
  /** Some models and settings are so, whatever computes them. */
  readonly mayBeUsual: boolean;
}

/** Of one model: what must hold in each request. Each violation is told once, until it has been absent for a while. */
export class Invariants {
  readonly #limits: Limits;
  /** By kind, requests since it was seen last. */
  readonly #open = new Map<string, number>();
  /** By kind, how many of the first requests had it. */
  readonly #early = new Map<string, number>();
  #requests = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  take(sample: Sample): Finding[] {
    this.#requests += 1;
    for (const [key, quiet] of this.#open) {
      if (quiet >= QUIET) this.#open.delete(key);
      else this.#open.set(key, quiet + 1);
    }
    const found = [...this.#ofTokens(sample.blocks), ...this.#ofOutputs(sample.outputs)];
    return found.flatMap((violation) => this.#tell(violation, sample.timeUs));
  }

  #tell({ what, mayBeUsual, ...violation }: Violation, timeUs: number): Finding[] {
    const key = `${violation.detector} ${what}`;
    const known = this.#open.has(key);
    this.#open.set(key, 0);
    if (mayBeUsual && this.#isUsual(key)) return [];
    if (known) return [];
    const severity = mayBeUsual && this.#requests <= FIRST ? 'INFO' : 'HIGH';
    return [{ type: 'INVARIANT_VIOLATION', severity, workers: 'all', timeUs, ...violation }];
  }

  #isUsual(key: string): boolean {
    const early = this.#early.get(key) ?? 0;
    if (this.#requests <= FIRST) this.#early.set(key, early + 1);
    return this.#requests > FIRST && early > USUAL * FIRST;
  }

  *#ofTokens(blocks: readonly TokenBlock[]): Iterable<Violation> {
    const { softmax_sum_tolerance: tolerance, max_logit_magnitude, non_negative_probs, no_nan_inf } = this.#limits;
    const token = { what: 'tokens', mayBeUsual: false };
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
      yield { ...token, detector: 'probability', what: 'sum', value: excess, limit: tolerance, detail };
    }
    const logit = largest(blocks.map((block) => block.maxLogit ?? 0));
    if (logit > max_logit_magnitude) {
      const detail = `A logit of magnitude ${shown(logit)}`;
      yield { detector: 'range', what: 'logit', value: logit, limit: max_logit_magnitude, detail, mayBeUsual: true };
    }
  }

  *#ofOutputs(outputs: readonly OutputStats[]): Iterable<Violation> {
    if (!this.#limits.no_nan_inf) return;
    for (const { name, nonfinite, elements } of outputs.slice(0, MAX_OUTPUTS)) {
      if (nonfinite === 0) continue;
      const detail = `${nonfinite} of ${elements} values of output ${name} are not finite`;
      yield { detector: 'nonfinite', what: `output ${name}`, value: nonfinite, limit: 0, detail, mayBeUsual: true };
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
