/** Some tokens of an answer. */
export interface TokenBlock {
  /** Natural logarithms of the probabilities of the chosen tokens. */
  readonly logprobs: readonly number[];
  /** Means over the tokens, nats. */
  readonly entropy: number | undefined;
  readonly topLogprob: number | undefined;
  /** Largest magnitude of a logit. */
  readonly maxLogit: number | undefined;
  /** By how much probabilities sum up to more than 1. */
  readonly excess: number | undefined;
  /** Values that no probability or logit can have. */
  readonly impossible: number;
}

/** An output tensor of one request. */
export interface OutputStats {
  readonly name: string;
  readonly elements: number;
  readonly nonfinite: number;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly mean: number | undefined;
}

/** One sampled request. */
export interface Sample {
  /** Microseconds since the Unix epoch, when it ended. */
  readonly timeUs: number;
  /** "" = as its server says. */
  readonly model: string;
  /** Tokens of the answer; undefined where it has none, such as tensors. */
  readonly tokens: number | undefined;
  readonly blocks: readonly TokenBlock[];
  readonly outputs: readonly OutputStats[];
}

/** What is charted of a request with tokens. */
export const STATISTICS = ['entropy', 'top_logprob', 'max_logit', 'length'] as const;
export type Statistic = (typeof STATISTICS)[number];

/** Of one request; NaN = not measured. */
export function statisticsOf({ blocks, tokens }: Sample): Record<Statistic, number> {
  return {
    entropy: meanOf(blocks, ({ entropy }) => entropy),
    top_logprob: meanOf(blocks, ({ topLogprob }) => topLogprob),
    max_logit: largestOf(blocks),
    // Lengths differ by orders of magnitude.
    length: tokens === undefined ? Number.NaN : Math.log1p(tokens),
  };
}

/** Over the tokens of all blocks that have it. */
function meanOf(blocks: readonly TokenBlock[], read: (block: TokenBlock) => number | undefined): number {
  let total = 0;
  let tokens = 0;
  for (const block of blocks) {
    const value = read(block);
    if (value === undefined) continue;
    const weight = Math.max(1, block.logprobs.length);
    total += weight * value;
    tokens += weight;
  }
  return total / tokens;
}

function largestOf(blocks: readonly TokenBlock[]): number {
  const values = blocks.flatMap(({ maxLogit }) => (maxLogit === undefined ? [] : [maxLogit]));
  return values.length === 0 ? Number.NaN : Math.max(...values);
}
