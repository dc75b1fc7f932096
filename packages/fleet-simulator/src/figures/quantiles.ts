/** Values and how they are spread. */
export interface Quantiles {
  /** How many there are; those that never happened are `missing`. */
  readonly count: number;
  readonly missing: number;
  /** null = it never happened to so many. */
  readonly median: number | null;
  readonly p99: number | null;
}

/** Of values of which some never happened (null): these count as later than all others. */
export function quantilesOf(values: readonly (number | null)[]): Quantiles {
  const sorted = values.map((value) => value ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  const at = (share: number): number | null => {
    const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
    return value === undefined || value === Number.POSITIVE_INFINITY ? null : value;
  };
  const missing = values.filter((value) => value === null).length;
  return { count: values.length - missing, missing, median: at(0.5), p99: at(0.99) };
}

/** Standard deviations on each side that hold 95 % of a normal distribution. */
const NORMAL_95 = 1.96;

/**
 * Interval that holds the median of what the values were drawn from with 95 %, by the ranks that a fair coin gives (Conover 1999,
 * 3.2). Where few values lie around the middle it is wide, however many there are. null = never.
 */
export function medianInterval(values: readonly (number | null)[]): readonly [number, number] {
  const sorted = values.map((value) => value ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  const half = sorted.length / 2;
  const reach = (NORMAL_95 * Math.sqrt(sorted.length)) / 2;
  const at = (rank: number): number => sorted[Math.min(sorted.length - 1, Math.max(0, rank))] ?? Number.NaN;
  return [at(Math.floor(half - reach) - 1), at(Math.ceil(half + reach))];
}
