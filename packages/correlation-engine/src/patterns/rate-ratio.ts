/** Executions and those of them that failed. */
export interface Counted {
  readonly executions: number;
  readonly failures: number;
}

export interface RateRatio {
  /** Failure rate of the first over that of the second; infinite when the second never failed. */
  readonly ratio: number;
  /** Interval that covers the true ratio with the asked probability at least. */
  readonly low: number;
  readonly high: number;
  /** Probability of as many failures in the first, or more, if both rates are the same: one-sided. */
  readonly pValue: number;
}

/** Beyond so many failures the sums of the exact interval are replaced by Wilson's score interval. */
const MAX_EXACT = 2_000;
const BISECTIONS = 60;

/**
 * Ratio of two Poisson rates. Given all failures, those of the first are binomial; the interval of that share is exact
 * (Clopper and Pearson 1934; Przyborowski and Wilenski 1940 for the ratio), or the score interval (Wilson 1927) for many failures.
 * undefined where either never ran or nothing failed: no ratio can be said.
 */
export function rateRatio(first: Counted, second: Counted, coverage: number): RateRatio | undefined {
  const total = first.failures + second.failures;
  if (first.executions <= 0 || second.executions <= 0 || total <= 0) return undefined;
  const toRatio = (share: number): number =>
    share >= 1 ? Number.POSITIVE_INFINITY : (share / (1 - share)) * (second.executions / first.executions);
  const [low, high] = shareInterval(first.failures, total, coverage);
  const even = first.executions / (first.executions + second.executions);
  return {
    ratio: toRatio(first.failures / total),
    low: toRatio(low),
    high: toRatio(high),
    pValue: upperTail(first.failures, total, even),
  };
}

function shareInterval(hits: number, total: number, coverage: number): [number, number] {
  const tail = (1 - coverage) / 2;
  if (total > MAX_EXACT) return wilson(hits, total, normalQuantile(1 - tail));
  // The smallest share that makes so many hits no rarer than the tail, and the largest.
  const low = hits === 0 ? 0 : bisect((share) => upperTail(hits, total, share) >= tail);
  const high = hits === total ? 1 : bisect((share) => 1 - upperTail(hits + 1, total, share) < tail);
  return [low, high];
}

/** Where a condition that is false for small and true for large shares turns. */
function bisect(holds: (share: number) => boolean): number {
  let [from, to] = [0, 1];
  for (let i = 0; i < BISECTIONS; i += 1) {
    const middle = (from + to) / 2;
    if (holds(middle)) to = middle;
    else from = middle;
  }
  return to;
}

/** P(X >= hits) of a binomial variable. */
function upperTail(hits: number, total: number, share: number): number {
  if (hits <= 0) return 1;
  if (share <= 0) return 0;
  if (share >= 1) return 1;
  if (total > MAX_EXACT)
    return 1 - normalDistribution((hits - 0.5 - total * share) / Math.sqrt(total * share * (1 - share)));
  const odds = Math.log(share) - Math.log1p(-share);
  let ln = total * Math.log1p(-share);
  let sum = 0;
  for (let k = 0; k <= total; k += 1) {
    if (k >= hits) sum += Math.exp(ln);
    ln += Math.log((total - k) / (k + 1)) + odds;
  }
  return Math.min(1, sum);
}

function wilson(hits: number, total: number, z: number): [number, number] {
  const share = hits / total;
  const square = (z * z) / total;
  const middle = (share + square / 2) / (1 + square);
  const half = (z / (1 + square)) * Math.sqrt((share * (1 - share)) / total + square / (4 * total));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

/** Abramowitz and Stegun 7.1.26: absolute error below 1.5e-7. */
function normalDistribution(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const erf = 1 - poly * Math.exp(-x * x);
  return z >= 0 ? (1 + erf) / 2 : (1 - erf) / 2;
}

function normalQuantile(probability: number): number {
  let [from, to] = [-10, 10];
  for (let i = 0; i < BISECTIONS; i += 1) {
    const middle = (from + to) / 2;
    if (normalDistribution(middle) >= probability) to = middle;
    else from = middle;
  }
  return to;
}
