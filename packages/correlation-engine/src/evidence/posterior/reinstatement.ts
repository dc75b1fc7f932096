import { answered } from '../answered.js';
import type { Draft } from '../draft.js';
import type { DeviceState } from '../model/device.js';
import type { UnitState } from '../model/unit.js';
import { unitBeliefs } from './beliefs.js';
import { lnTotal, MAX_LN_ODDS, neverFailed } from './recursion.js';
import { lnOddsAt } from './unit.js';

/** Odds that a unit is put back into service with, and that its deep test has to reach. */
export const REINSTATED_ODDS = 0.01;

/** The unit as it goes back into service: its past is answered for, and it is on probation from now on. */
export function reinstated(facts: Draft, device: DeviceState, unit: UnitState, nowUs: number): UnitState {
  const beliefs = unitBeliefs(facts, device, nowUs)(unit);
  const { thetas, onset } = beliefs;
  const lnOdds = unit.posterior === null ? neverFailed(thetas, onset, 0, 0) : lnOddsAt(unit.posterior, beliefs, nowUs);
  const shift = Math.log(REINSTATED_ODDS) - lnTotal(lnOdds);
  const posterior = { lnOdds: lnOdds.map((ln) => ln + shift), sinceUs: nowUs, same: 0, other: 0 };
  return {
    ...answered(unit),
    posterior: { ...posterior, bins: unit.posterior?.bins ?? 0 },
    reinstatedUs: nowUs,
  };
}

/**
 * Clean executions that a deep test needs of a unit to clear it: so many that its odds come down to those of reinstatement
 * even if it fails as seldom as its evidence allows, and never fewer than `atLeast`.
 */
export function cleanExecutionsNeeded(unit: { odds: number; thetaEff: number }, atLeast: number): number {
  const lnOdds = Math.min(Math.log(unit.odds), MAX_LN_ODDS);
  return Math.max(atLeast, Math.ceil((lnOdds - Math.log(REINSTATED_ODDS)) / unit.thetaEff));
}
