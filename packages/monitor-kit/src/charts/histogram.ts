/** Added to each bin, so that an empty one has a logarithm. */
const PSEUDO = 0.5;

export interface BinOptions {
  readonly strategy: 'uniform' | 'quantile';
  /** Laid out first. */
  readonly bins: number;
  /** Left when neighbours have been merged. */
  readonly maxBins: number;
}

/**
 * Bins for values like these, about equally full.
 * @param values finite
 * @returns inner edges, ascending: a value belongs above each edge that it reaches
 */
export function layBins(values: readonly number[], options: BinOptions): number[] {
  const sorted = Float64Array.from(values).sort();
  const fine = fineEdges(sorted, options);
  const edges: number[] = [];
  let below = 0;
  for (const edge of fine) {
    const at = lowerBound(sorted, edge);
    const left = options.maxBins - edges.length;
    // Each bin takes its share of what is left, so that one value that is very common costs one bin.
    if (left < 2 || at - below < (sorted.length - below) / left || at === sorted.length) continue;
    edges.push(edge);
    below = at;
  }
  return edges;
}

function fineEdges(sorted: Float64Array, { strategy, bins }: BinOptions): number[] {
  const [low, high] = [sorted[0] ?? 0, sorted.at(-1) ?? 0];
  const edges = Array.from({ length: bins - 1 }, (_, k) => {
    const share = (k + 1) / bins;
    return strategy === 'uniform' ? low + share * (high - low) : (sorted[Math.ceil(share * sorted.length)] ?? high);
  });
  return [...new Set(edges)].filter((edge) => edge > low);
}

function lowerBound(sorted: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of a value's bin. @param edges as of layBins */
export function binOf(edges: readonly number[], value: number): number {
  const at = lowerBound(edges, value);
  return edges[at] === value ? at + 1 : at;
}

export interface Distance {
  /** Kullback-Leibler divergence, nats, less the bias that counts of that size have: (B-1)/2 (1/n + 1/m). */
  readonly nats: number;
  /** What it is worth: a normal deviate where values are independent and the distributions equal. */
  readonly score: number;
}

/**
 * Distance of a block from a reference. The score is G = 2nm/(n+m) KL, which is distributed as chi-square with B-1 degrees of freedom
 * (Wilks 1938), made normal by its cube root (Wilson and Hilferty 1931).
 * @param counts of the block and of the reference, by bin; at least two bins
 * @param symmetric mean of both directions
 */
export function distanceOf(counts: readonly number[], reference: readonly number[], symmetric: boolean): Distance {
  const [n, m] = [sum(counts), sum(reference)];
  const bins = counts.length;
  let divergence = 0;
  for (let bin = 0; bin < bins; bin += 1) {
    const p = ((counts[bin] ?? 0) + PSEUDO) / (n + PSEUDO * bins);
    const q = ((reference[bin] ?? 0) + PSEUDO) / (m + PSEUDO * bins);
    divergence += symmetric ? ((p - q) * Math.log(p / q)) / 2 : p * Math.log(p / q);
  }
  const degrees = bins - 1;
  const g = (2 * n * m * divergence) / (n + m);
  const spread = 2 / (9 * degrees);
  const score = (Math.cbrt(Math.max(0, g) / degrees) - (1 - spread)) / Math.sqrt(spread);
  return { nats: divergence - (degrees / 2) * (1 / n + 1 / m), score };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
