/** Standard normal quantile of a one-sided 97.5 %. */
const Z = 1.959964;

/** Upper end of the exact 95 % interval of a Poisson rate: that at which so few events, or fewer, have a probability of 2.5 %. */
export function poissonUpper(events: number, exposure: number): number {
  let low = events;
  let high = events + 10 * Math.sqrt(events + 1) + 10;
  for (let k = 0; k < 100; k += 1) {
    const mean = (low + high) / 2;
    if (poissonAtMost(events, mean) > 0.025) low = mean;
    else high = mean;
  }
  return high / exposure;
}

function poissonAtMost(events: number, mean: number): number {
  let term = Math.exp(-mean);
  let sum = term;
  for (let k = 1; k <= events; k += 1) {
    term *= mean / k;
    sum += term;
  }
  return sum;
}

/** Lower end of the Wilson 95 % interval of a share. */
export function wilsonLower(hits: number, trials: number): number {
  const share = hits / trials;
  const spread = Z * Math.sqrt((share * (1 - share)) / trials + (Z * Z) / (4 * trials * trials));
  return (share + (Z * Z) / (2 * trials) - spread) / (1 + (Z * Z) / trials);
}

/** Upper end of the distribution-free 95 % interval of the median. */
export function medianUpper(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = Math.ceil(sorted.length / 2 + (Z * Math.sqrt(sorted.length)) / 2);
  return sorted[Math.min(sorted.length - 1, at)] ?? Number.NaN;
}
