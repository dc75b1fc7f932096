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
