/**
 * Median of counts, with the count k standing for the interval (k - 1, k]: executions stand for time, and a median that
 * jumps between whole numbers could not be compared with ln 2 / p.
 * @returns NaN for no counts
 */
export function interpolatedMedian(counts: readonly number[]): number {
  const sorted = counts.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const median = sorted[Math.ceil(half) - 1];
  if (median === undefined) return Number.NaN;
  const below = sorted.filter((count) => count < median).length;
  const equal = sorted.filter((count) => count === median).length;
  return median - 1 + (half - below) / equal;
}
