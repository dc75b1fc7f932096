import type { UnitState } from '../model/unit.js';

export const PROBATION_US = 90 * 86_400_000_000;
/** What once failed fails again sooner than others. */
const PROBATION_FACTOR = 100;

/** When the probation of a unit ends; null = it is on none. */
export function probationEndUs({ reinstatedUs }: Pick<UnitState, 'reinstatedUs'>): number | null {
  return reinstatedUs === null ? null : reinstatedUs + PROBATION_US;
}

/** Factor of the onset of a unit that a deep test cleared less than 90 days ago. */
export function probationFactor(reinstatedUs: number | null, nowUs: number): number {
  const endUs = probationEndUs({ reinstatedUs });
  return endUs !== null && nowUs < endUs ? PROBATION_FACTOR : 1;
}
