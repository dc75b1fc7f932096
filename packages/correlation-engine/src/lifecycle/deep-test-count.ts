import type { DeviceState } from '../evidence/model/device.js';
import type { DirectiveState } from '../evidence/model/orders.js';
import type { CoreConfig } from '../evidence/model/settings.js';
import type { UnitState } from '../evidence/model/unit.js';
import { type Bin, hasBin } from '../evidence/posterior/bins.js';

/** The unit after clean executions in a deep test, told apart by whether it ever failed in such circumstances. */
export function countInDeepTest(unit: UnitState, executions: number, bin: Bin): UnitState {
  return unit.posterior === null || hasBin(unit.posterior.bins, bin)
    ? { ...unit, deepTestClean: unit.deepTestClean + executions }
    : { ...unit, deepTestOther: unit.deepTestOther + executions };
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

export function forgetDeepTest(device: DeviceState): void {
  device.units = device.units.map((unit) => ({ ...unit, deepTestClean: 0, deepTestOther: 0 }));
}
