/** Terms of the tail's series: they alternate, and the first bounds the rest where it is small. */
const MAX_TERMS = 50;

export interface Peak {
  /** Share of the power that lies at one frequency. */
  readonly concentration: number;
  /** Cycles per sample. */
  readonly frequency: number;
  /** Frequencies among which it is the largest. */
  readonly frequencies: number;
}

/**
 * The strongest frequency of a series (Fisher 1929: the largest ordinate of the periodogram over their sum).
 * @param series its length a power of two, at least 8
 * @param low cycles per sample, 0 to 0.5
 * @returns null where there is no power between `low` and `high`
 */
export function strongestFrequency(series: readonly number[], low: number, high: number): Peak | null {
  const { length } = series;
  const mean = series.reduce((sum, value) => sum + value, 0) / length;
  const re = Float64Array.from(series, (value) => value - mean);
  const im = new Float64Array(length);
  transform(re, im);
  const first = Math.max(1, Math.ceil(low * length));
  // The frequency of half a cycle has one degree of freedom in place of two.
  const last = Math.min(length / 2 - 1, Math.floor(high * length));
  let total = 0;
  let peak = { power: 0, at: 0 };
  for (let k = first; k <= last; k += 1) {
    const power = (re[k] ?? 0) ** 2 + (im[k] ?? 0) ** 2;
    total += power;
    if (power > peak.power) peak = { power, at: k };
  }
  if (!(total > 0)) return null;
  return { concentration: peak.power / total, frequency: peak.at / length, frequencies: last - first + 1 };
}

/** Probability that independent normal values of equal variance have a concentration above `g` among so many frequencies. */
export function concentrationTail(g: number, frequencies: number): number {
  let sum = 0;
  let choose = 1;
  for (let k = 1; k <= MAX_TERMS && k <= frequencies && k * g < 1; k += 1) {
    choose *= (frequencies - k + 1) / k;
    const term = choose * (1 - k * g) ** (frequencies - 1);
    sum += k % 2 === 1 ? term : -term;
    if (term < 1e-15) break;
  }
  return Math.max(0, Math.min(1, sum));
}

/** In place, radix 2. */
function transform(re: Float64Array, im: Float64Array): void {
  const { length } = re;
  for (let i = 1, j = 0; i < length; i += 1) {
    let bit = length >> 1;
    for (; (j & bit) !== 0; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) swap(re, im, i, j);
  }
  for (let size = 2; size <= length; size *= 2) {
    const half = size / 2;
    for (let k = 0; k < half; k += 1) {
      const angle = (-2 * Math.PI * k) / size;
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      for (let at = k; at < length; at += size) {
        const [a, b] = [re[at + half] ?? 0, im[at + half] ?? 0];
        const [x, y] = [a * cos - b * sin, a * sin + b * cos];
        re[at + half] = (re[at] ?? 0) - x;
        im[at + half] = (im[at] ?? 0) - y;
        re[at] = (re[at] ?? 0) + x;
        im[at] = (im[at] ?? 0) + y;
      }
    }
  }
}

function swap(re: Float64Array, im: Float64Array, i: number, j: number): void {
  const [a, b] = [re[i] ?? 0, im[i] ?? 0];
  re[i] = re[j] ?? 0;
  im[i] = im[j] ?? 0;
  re[j] = a;
  im[j] = b;
}
