/** What one rank measured in one step; undefined = not measured. */
export interface StepSample {
  readonly rank: number;
  readonly step: number;
  readonly timeUs: number;
  readonly loss: number | undefined;
  readonly learningRate: number | undefined;
  /** L2 norm of the gradients before and after they were reduced. */
  readonly localNorm: number | undefined;
  readonly norm: number | undefined;
  readonly maxWeight: number | undefined;
  readonly maxUpdate: number | undefined;
  readonly nonfiniteGradients: number;
  readonly nonfiniteWeights: number;
  /** L2 norm of each layer's gradient. */
  readonly layerNorms: readonly number[];
  /** Of every rank, by rank, where they were exchanged; else empty. */
  readonly rankNorms: readonly number[];
  readonly rankLosses: readonly number[];
}

/**
 * One value of each rank: what ranks exchanged, else what each of those at hand says itself. NaN = not known.
 * @param size ranks of the job
 */
export function byRank(
  samples: readonly StepSample[],
  size: number,
  exchanged: 'rankNorms' | 'rankLosses',
  own: 'localNorm' | 'loss',
): number[] {
  const whole = samples.find((sample) => sample[exchanged].length === size);
  if (whole !== undefined) return [...whole[exchanged]];
  const values = Array.from({ length: size }, () => Number.NaN);
  for (const sample of samples) values[sample.rank] = sample[own] ?? Number.NaN;
  return values;
}

/** NaN for none. */
export function meanOfFinite(values: readonly number[]): number {
  const finite = values.filter(Number.isFinite);
  return finite.reduce((sum, value) => sum + value, 0) / finite.length;
}
