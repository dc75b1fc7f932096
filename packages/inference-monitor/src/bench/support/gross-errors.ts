import type { Random } from '@sentinel/monitor-kit/testing/random';
import type { Sample } from '../../analysers/sample.js';

const TOKENS = 16;
const ELEMENTS = 1_000;

/** What a broken logit path makes of one request. */
export const ERRORS = [
  'nan',
  'positive_logprob',
  'probability_sum',
  'logit_exponent',
  'output_nan',
  'output_exponent',
] as const;
export type GrossError = (typeof ERRORS)[number];

/** A request with tokens and with one tensor, as they are when nothing is wrong. */
export function healthySample(random: Random, timeUs: number): Sample {
  const logprobs = Array.from({ length: TOKENS }, () => -Math.abs(random.normal()));
  const block = { logprobs, entropy: 1.5 + 0.5 * random.next(), topLogprob: -0.4, maxLogit: 20 + random.normal() };
  return {
    ...{ timeUs, model: 'm', tokens: TOKENS },
    blocks: [{ ...block, excess: 1e-6 * random.next(), impossible: 0 }],
    outputs: [{ name: 'o', elements: ELEMENTS, nonfinite: 0, min: -5, max: 8 + random.normal(), mean: 0 }],
  };
}

export function grossError(error: GrossError, random: Random): Sample {
  const sample = healthySample(random, 0);
  const [block] = sample.blocks;
  const [output] = sample.outputs;
  if (block === undefined || output === undefined) return sample;
  const wrongBlock = (wrong: Partial<typeof block>) => ({ ...sample, blocks: [{ ...block, ...wrong }] });
  const wrongOutput = (wrong: Partial<typeof output>) => ({ ...sample, outputs: [{ ...output, ...wrong }] });
  switch (error) {
    case 'nan':
      return wrongBlock({ logprobs: block.logprobs.with(random.integer(TOKENS), Number.NaN) });
    case 'positive_logprob':
      return wrongBlock({ logprobs: block.logprobs.with(random.integer(TOKENS), 0.01 + random.next()) });
    case 'probability_sum':
      return wrongBlock({ excess: 0.02 + random.next() });
    // A flipped bit of the exponent, upwards: 2^8 times as large and more.
    case 'logit_exponent':
      return wrongBlock({ maxLogit: 20 * 2 ** (8 * 2 ** random.integer(3)) });
    case 'output_nan':
      return wrongOutput({ nonfinite: 1 + random.integer(ELEMENTS) });
    case 'output_exponent':
      return wrongOutput({ max: 8 * 2 ** (8 * 2 ** random.integer(3)) });
  }
}
