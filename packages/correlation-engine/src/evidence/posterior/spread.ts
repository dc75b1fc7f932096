import type { Exposure } from '../model/unit.js';
import { afterPasses, neverFailed, reportRatios, withReport } from './recursion.js';
import type { Beliefs } from './unit.js';

const HOUR_US = 3_600_000_000;

/**
 * Log odds of something that fails part by part (a device by its SMs, a node by its devices): the recursion over the newest
 * failures of distinct parts, so that one more failure never speaks against it. Between them everything that ran is a pass, at the mean rate of its life; nothing is stored.
 * @param failuresUs event time of the newest failure of each part
 */
export function lnOddsOfParts(
  failuresUs: readonly number[],
  exposure: Exposure | undefined,
  beliefs: Beliefs,
  nowUs: number,
): number[] {
  const { thetas, onset, lambda } = beliefs;
  const ran = exposure ?? { executions: 0, firstRunUs: nowUs, lastRunUs: nowUs };
  const [firstUs = nowUs, ...laterUs] = failuresUs.toSorted((a, b) => a - b);
  const countUntil = (us: number): number => ran.executions * fraction(ran.firstRunUs, ran.lastRunUs, us);
  let lnOdds = neverFailed(thetas, onset, countUntil(firstUs), hours(ran.firstRunUs, firstUs));
  if (failuresUs.length === 0) return lnOdds;
  const failure = reportRatios(thetas, lambda, 1, 1);
  lnOdds = withReport(lnOdds, failure);
  let sinceUs = firstUs;
  const passUntil = (us: number): number[] =>
    afterPasses(lnOdds, thetas, onset, countUntil(us) - countUntil(sinceUs), hours(sinceUs, us));
  for (const us of laterUs) {
    lnOdds = withReport(passUntil(us), failure);
    sinceUs = us;
  }
  return passUntil(nowUs);
}

function fraction(fromUs: number, untilUs: number, us: number): number {
  if (untilUs <= fromUs) return us < fromUs ? 0 : 1;
  return Math.max(0, Math.min(1, (us - fromUs) / (untilUs - fromUs)));
}

function hours(fromUs: number, untilUs: number): number {
  return Math.max(0, untilUs - fromUs) / HOUR_US;
}
