/** What one device, or a cohort of them, ran, and how often that was wrong. */
export interface Pooled {
  readonly executions: number;
  readonly failures: number;
}

/** So many wrong results count however little a device ran. */
export const ALWAYS_COUNTED = 3;
/** Deviations of a Poisson count above its mean: of healthy devices one in 30,000 or fewer show more. */
const DEVIATIONS = 4;
/** Enough for 16,000 passing faults of each device; what is not reached then is taken for less. */
const MAX_ROUNDS = 64;

/** Healthy failures per execution. The prior stands for one failure in 1 / prior executions. */
export function rateOf(prior: number, { executions, failures }: Pooled): number {
  return (1 + failures) / (1 / prior + executions);
}

/** The most wrong results that a device counts for, where chance alone lets expect `mean` of them. */
export function mostOf(mean: number): number {
  return Math.floor(ALWAYS_COUNTED + mean + DEVIATIONS * Math.sqrt(mean));
}

/**
 * Wrong results of a cohort in which no device counts for more than the others make likely, so that one bad device does not
 * excuse them all, while what every device shows is counted in full, however long it runs.
 * @param cohort executions of all its devices, failures of those that have no more than `ALWAYS_COUNTED`
 * @param many the devices that have more
 */
export function winsorised(prior: number, cohort: Pooled, many: readonly Pooled[]): number {
  let counted = many.map(() => ALWAYS_COUNTED);
  let total = cohort.failures + sum(counted);
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const before = total;
    counted = many.map(({ executions, failures }, i) => {
      const others = { executions: cohort.executions - executions, failures: before - (counted[i] ?? 0) };
      return Math.min(failures, mostOf(rateOf(prior, others) * executions));
    });
    total = cohort.failures + sum(counted);
    if (total === before) break;
  }
  return total;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}
