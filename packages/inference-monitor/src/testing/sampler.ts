import type { RequestSample } from '@sentinel/contracts/sentinel/v1/inference.js';
import { type FrontCounts, zeroCounts } from '../front/counts.js';
import { Sampler } from '../front/sampling/sampler.js';

export interface SampleAll {
  readonly samples: RequestSample[];
  readonly counts: FrontCounts;
  readonly sampling: Sampler;
}

/** Draws every request. */
export function sampleAll(rate = 1, nowMs = () => performance.now()): SampleAll {
  const samples: RequestSample[] = [];
  const counts = zeroCounts();
  const sampling = new Sampler({
    rate: () => rate,
    counts,
    random: Math.random,
    nowMs,
    nowUs: () => 7n,
    onSample: (sample) => samples.push(sample),
  });
  return { samples, counts, sampling };
}
