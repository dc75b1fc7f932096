import type { SlowdownRound } from '@sentinel/native-probes';

/** Fewer rounds than this say nothing. */
const LEAST_ROUNDS = 5;

/** What one execution takes from a job on its CPU, microseconds. Half of the rounds lie between `p25` and `p75`. */
export interface Slowdown {
  readonly rounds: number;
  readonly measuredUs: { readonly p25: number; readonly p50: number; readonly p75: number };
  /** What it was charged in the same rounds, median. */
  readonly chargedUs: number;
  /** Measured by charged. */
  readonly ratio: number;
}

/**
 * Compares the job's progress while it is probed with its progress right after; the median keeps out what else the machine did.
 * Undefined where too few rounds can be used: those in which every execution ran and the job worked.
 */
export function slowdownOf(rounds: readonly SlowdownRound[], executions: number): Slowdown | undefined {
  const usable = rounds.filter(({ executed, alone }) => executed === executions && alone.steps > 0);
  if (usable.length < LEAST_ROUNDS) return undefined;
  const lost = usable.map(({ probed, alone }) => (probed.us - probed.steps * (alone.us / alone.steps)) / executions);
  const measuredUs = { p25: quantile(lost, 0.25), p50: quantile(lost, 0.5), p75: quantile(lost, 0.75) };
  const charged = usable.map(({ chargedUs }) => chargedUs / executions);
  const chargedUs = quantile(charged, 0.5);
  if (chargedUs <= 0) return undefined;
  return { rounds: usable.length, measuredUs, chargedUs, ratio: measuredUs.p50 / chargedUs };
}

/** Interpolated. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? 0;
  const above = sorted[Math.ceil(place)] ?? 0;
  return below + (above - below) * (place - Math.floor(place));
}
