import type { UnitPosterior } from '../model/unit.js';
import { type Bin, hasBin, withBin } from './bins.js';
import { afterFailures, afterPasses, lnTotal, type Onset } from './recursion.js';

const HOUR_US = 3_600_000_000;

/** What the recursion needs besides the evidence. */
export interface Beliefs {
  readonly thetas: readonly number[];
  readonly onset: Onset;
  /** Healthy failures per execution. */
  readonly lambda: number;
  /** Weight of passes in circumstances in which the unit never failed. */
  readonly otherBinWeight: number;
}

/** Executions of one unit in one report. */
export interface Report {
  readonly executions: number;
  /** >= 1. */
  readonly failures: number;
  readonly timeUs: number;
  readonly bin: Bin;
}

/** `before` = what was known of the unit when it failed for the first time. */
export function firstFailure(before: readonly number[], beliefs: Beliefs, report: Report): UnitPosterior {
  return failed({ lnOdds: [...before], sinceUs: report.timeUs, same: 0, other: 0, bins: 0 }, beliefs, report);
}

/** Folds the passes since the failure before, then the report. The only place where a posterior is folded. */
export function failed(posterior: UnitPosterior, beliefs: Beliefs, report: Report): UnitPosterior {
  const folded = lnOddsAt(posterior, beliefs, report.timeUs);
  return {
    lnOdds: afterFailures(folded, beliefs.thetas, beliefs.lambda, report.failures, report.executions),
    sinceUs: Math.max(posterior.sinceUs, report.timeUs),
    same: 0,
    other: 0,
    bins: withBin(posterior.bins, report.bin),
  };
}

/** Clean executions are only counted: however they are split into reports, the next failure folds the same numbers. */
export function passed(posterior: UnitPosterior, executions: number, bin: Bin): UnitPosterior {
  return hasBin(posterior.bins, bin)
    ? { ...posterior, same: posterior.same + executions }
    : { ...posterior, other: posterior.other + executions };
}

/** The log odds as they stand at a time: a view, which changes nothing. */
export function lnOddsAt(posterior: UnitPosterior, beliefs: Beliefs, nowUs: number): number[] {
  const weighted = posterior.same + beliefs.otherBinWeight * posterior.other;
  const hours = Math.max(0, nowUs - posterior.sinceUs) / HOUR_US;
  return afterPasses(fitted(posterior.lnOdds, beliefs.thetas), beliefs.thetas, beliefs.onset, weighted, hours);
}

/** A grid of another size in the configuration: the whole is kept, and spread evenly. */
function fitted(lnOdds: readonly number[], thetas: readonly number[]): readonly number[] {
  if (lnOdds.length === thetas.length) return lnOdds;
  const each = lnTotal(lnOdds) - Math.log(thetas.length);
  return thetas.map(() => each);
}
