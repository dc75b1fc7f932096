import type { CoreConfig, DirectiveState, UnitState } from '../evidence/model.js';
import { type Bin, hasBin } from '../evidence/posterior/bins.js';

/** Clean executions of a unit in a deep test, told apart by whether the unit ever failed in such circumstances. */
export function countInDeepTest(unit: UnitState, executions: number, bin: Bin): void {
  if (unit.posterior === null || hasBin(unit.posterior.bins, bin)) unit.deepTestClean += executions;
  else unit.deepTestOther += executions;
}

/** What they amount to: others weigh as they do in the odds (`attribution.other_bin_weight`). */
export function cleanInDeepTest(unit: UnitState, config: CoreConfig): number {
  return unit.deepTestClean + config.attribution.other_bin_weight * unit.deepTestOther;
}

/** How many a unit needs in an open deep test. */
export function neededInDeepTest(directive: DirectiveState, { family, sm }: { family: number; sm: number }): number {
  const unit = directive.units.find((entry) => entry.family === family && entry.sm === sm);
  return unit?.executions ?? directive.executions;
}

export function forgetDeepTest(units: readonly UnitState[]): void {
  for (const unit of units) {
    unit.deepTestClean = 0;
    unit.deepTestOther = 0;
  }
}
