import type { CoreConfig, DeviceState, Family } from '../evidence/model.js';
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
  const needed = openDeepTestOf(device)?.executions ?? config.reinstatementPassCount;
  return device.units.map(({ family, sm, deepTestClean }) => ({
    family,
    sm,
    clean: Math.min(deepTestClean, needed),
    needed,
  }));
}
