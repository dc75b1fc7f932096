import type { Random } from '../../harness/random.js';

/** Of a weight: which bits of a float32. A logit: a wrong row of the last product, with right weights. */
export type Harm = 'exponent' | 'high_mantissa' | 'low_mantissa' | 'logit';
export const HARMS: readonly Harm[] = ['exponent', 'high_mantissa', 'low_mantissa', 'logit'];

/** First and last bit; the sign counts with the exponent. */
const BITS: Readonly<Record<Exclude<Harm, 'logit'>, readonly [number, number]>> = {
  exponent: [23, 31],
  high_mantissa: [12, 22],
  low_mantissa: [0, 11],
};
/** Added to a logit, nats. */
const SIZES = [0.001, 0.03, 1];

/** What is done to one replica; `sound` = nothing, and nobody may be named. */
export type Round =
  | { readonly harm: 'sound'; readonly replica: number }
  | {
      readonly harm: Exclude<Harm, 'logit'>;
      readonly replica: number;
      /** Which number of the checkpoint, and which copy of it in memory. */
      readonly at: number;
      readonly copy: number;
      readonly bit: number;
    }
  | { readonly harm: 'logit'; readonly replica: number; readonly row: number; readonly size: number };

export interface Model {
  /** Weights of the checkpoint. */
  readonly numbers: number;
  /** Tokens of the vocabulary. */
  readonly tokens: number;
}

/** In each block every harm once and a sound round, in a drawn order; no replica twice in succession. */
export function drawRounds(
  blocks: number,
  harms: readonly Harm[],
  replicas: number,
  model: Model,
  random: Random,
): Round[] {
  const rounds: Round[] = [];
  for (let block = 0; block < blocks; block += 1) {
    for (const harm of shuffled([...harms, 'sound' as const], random)) {
      const last = rounds.at(-1)?.replica;
      const others = Array.from({ length: replicas }, (_, k) => k).filter((k) => k !== last);
      rounds.push(drawRound(harm, random.pick(others), model, random));
    }
  }
  return rounds;
}

function drawRound(harm: Harm | 'sound', replica: number, { numbers, tokens }: Model, random: Random): Round {
  if (harm === 'sound') return { harm, replica };
  if (harm === 'logit') return { harm, replica, row: random.between(0, tokens - 1), size: random.pick(SIZES) };
  const at = random.between(0, numbers - 1);
  return { harm, replica, at, copy: random.between(0, 1_000_000), bit: random.between(...BITS[harm]) };
}

function shuffled<T>(values: readonly T[], random: Random): T[] {
  return values
    .map((value) => ({ value, at: random.next() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ value }) => value);
}
