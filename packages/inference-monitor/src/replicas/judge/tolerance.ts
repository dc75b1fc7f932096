import { TailLimit } from '@sentinel/monitor-kit/charts/tail-limit';

/** Of a healthy replica to pass the limit once it is learned: with a comparison a minute, one in more than a hundred days. */
export const FALSE_ALARMS = 5e-6;

/** On the limit, which is extrapolated: 0 of 800,000 healthy comparisons passed it, with normal and with heavy tails (t4). */
const MARGIN = 1.25;

/** Mean difference of logarithms of probabilities that is far beyond rounding in any type of numbers. */
export const GROSS = 2;

/** Fewer values say nothing. */
const MIN_VALUES = 4;

export interface Exceeded {
  readonly distance: number;
  readonly limit: number;
}

/** What values are: natural logarithms of probabilities, or output tensors, whose unit and size nobody knows. */
export type Unit = 'log_probability' | 'tensor';

/** What rounding does: how far answers of replicas that need not be equal bits are apart, and what is too far. */
export class Tolerance {
  readonly #gross: number;
  readonly #tail = new TailLimit(FALSE_ALARMS);

  constructor(unit: Unit) {
    this.#gross = unit === 'log_probability' ? GROSS : Number.POSITIVE_INFINITY;
  }

  /** Of tensors infinite until it is learned. */
  get limit(): number {
    return Math.min(this.#gross, MARGIN * this.#tail.limit);
  }

  /** @returns what passed the limit, else null: then it is learned from */
  push(distance: number): Exceeded | null {
    const { limit } = this;
    if (!(Number.isFinite(distance) && distance <= limit)) return { distance, limit };
    this.#tail.push(distance);
    return null;
  }

  /** Takes one that passed the limit, and is so for a reason that no device has. */
  learn(distance: number): void {
    if (Number.isFinite(distance)) this.#tail.push(distance);
  }
}

/** What is compared where bits need not be equal. */
export interface Values {
  readonly tokens: readonly number[];
  readonly values: readonly number[];
}

/**
 * Mean of the absolute differences between two answers, one far value of which moves little, up to where other tokens were chosen: from there on they continue another text.
 * Null where too little is left. A value that is not finite in one alone is infinitely far.
 * @returns of logarithms in nats; of tensors as a share of the mean size of their values, 0 to 2
 */
export function distanceOf(a: Values, b: Values, unit: Unit = 'log_probability'): number | null {
  const split = a.tokens.findIndex((token, i) => token !== b.tokens[i]);
  const chosen = Math.max(a.tokens.length, b.tokens.length);
  // The last values are those of the tokens that were chosen.
  const after = split < 0 ? 0 : chosen - split;
  const count = Math.min(a.values.length, b.values.length) - after;
  if (count < MIN_VALUES) return null;
  let apart = 0;
  let sizeOfA = 0;
  let sizeOfB = 0;
  for (let i = 0; i < count; i += 1) {
    const [x = Number.NaN, y = Number.NaN] = [a.values[i], b.values[i]];
    const bothFinite = Number.isFinite(x) && Number.isFinite(y);
    if (!Object.is(x, y)) apart += bothFinite ? Math.abs(x - y) / count : Number.POSITIVE_INFINITY;
    sizeOfA += bothFinite ? Math.abs(x) / count : 0;
    sizeOfB += bothFinite ? Math.abs(y) / count : 0;
  }
  if (unit === 'log_probability' || apart === 0) return apart;
  return apart / Math.max(sizeOfA, sizeOfB);
}
