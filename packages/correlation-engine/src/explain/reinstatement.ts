import { JOB } from '../evidence/families.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { CoreConfig } from '../evidence/model/settings.js';
import type { Family } from '../evidence/model/terms.js';
import { cleanInDeepTest, neededInDeepTest } from '../lifecycle/deep-test-count.js';
import { openDeepTestOf } from '../lifecycle/directives.js';

/** How far one failing unit is on its way back into service. */
export interface UnitProgress {
  family: Family;
  sm: number;
  /** Clean executions in the open deep test, at most `needed`. */
  clean: number;
  needed: number;
}

/** The failing units of a device that is out of service; [] for any other. */
export function reinstatement(device: DeviceState, config: CoreConfig): UnitProgress[] {
  if (device.state !== 'QUARANTINED' && device.state !== 'DEEP_TEST') return [];
  const test = openDeepTestOf(device);
  // No probe runs a job: the sweep is what clears it.
  const ofProbes = device.units.filter(({ family }) => family !== JOB);
  return ofProbes.map((unit) => {
    const needed = test === undefined ? config.reinstatementPassCount : neededInDeepTest(test, unit);
    const clean = Math.min(Math.floor(cleanInDeepTest(unit, config)), needed);
    return { family: unit.family, sm: unit.sm, clean, needed };
  });
}
