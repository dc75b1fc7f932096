import type { InferenceThresholds } from '@sentinel/service-kit/config';
import { shippedLimits } from '../../bench/support/limits.js';
import type { Sample } from '../sample.js';

/** The shipped limits with short blocks and references, so that tests are. */
export function shortLimits(): InferenceThresholds {
  const limits = shippedLimits();
  return {
    ...limits,
    block_ewma: { ...limits.block_ewma, block_s: 10, min_requests: 20, m: 40 },
    kl_divergence: { ...limits.kl_divergence, min_reference_samples: 400, max_bins: 8 },
  };
}

/** A request with 64 tokens, `differing` apart. */
export function sampleOf(differing: Partial<Sample['blocks'][number]> = {}, timeUs = 1): Sample {
  const block = { logprobs: Array.from({ length: 64 }, () => -1), entropy: 1, topLogprob: -0.5, maxLogit: 20 };
  return {
    timeUs,
    model: 'm',
    tokens: 64,
    outputs: [],
    blocks: [{ ...block, excess: 0, impossible: 0, ...differing }],
  };
}
