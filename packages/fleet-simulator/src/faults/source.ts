import type { Random } from '../random.js';
import type { FailureRate } from './rate.js';

/** SMs of one device that compute one family wrongly at times, for one reason. */
export interface Source {
  readonly fault: string;
  readonly family: number;
  readonly sms: readonly number[];
  readonly rate: FailureRate;
  /** All wrong results of one seed are alike. */
  readonly shared: boolean;
  /** It is not the golden that is wrong. */
  readonly goldenIntact: boolean;
  readonly random: Random;
}

/** A run in which some of a source's SMs fail. */
export interface FailingRun {
  readonly timeUs: number;
  readonly sms: readonly number[];
}

/** Runs at whole multiples of `periodUs` after `phaseUs`. */
export interface Timetable {
  readonly phaseUs: number;
  readonly periodUs: number;
}

/**
 * The first run after `fromUs` and until `untilUs` that fails on some of these SMs; null = none. Candidates come at the highest rate and
 * are thinned to the rate of their time (Lewis and Shedler 1979), so that quiet weeks cost nothing.
 */
export function nextFailingRun(
  { rate, random, sms }: Pick<Source, 'rate' | 'random' | 'sms'>,
  { phaseUs, periodUs }: Timetable,
  fromUs: number,
  untilUs: number,
): FailingRun | null {
  const most = someFail(rate.highest, sms.length);
  const startUs = Math.max(fromUs, rate.onsetUs);
  let run = Math.floor((startUs - phaseUs) / periodUs);
  for (;;) {
    run += random.geometric(most);
    const timeUs = phaseUs + run * periodUs;
    // Also when no run can fail any more: infinity and NaN are not within the time.
    if (!(timeUs <= untilUs && timeUs < rate.endUs)) return null;
    const probability = rate.at(timeUs);
    if (probability <= 0 || !random.happens(someFail(probability, sms.length) / most)) continue;
    return { timeUs, sms: random.successes(sms.length, probability).map((at) => sms[at] ?? 0) };
  }
}

/** Probability that at least one of n executions fails. */
function someFail(probability: number, n: number): number {
  return probability >= 1 ? 1 : -Math.expm1(n * Math.log1p(-probability));
}
