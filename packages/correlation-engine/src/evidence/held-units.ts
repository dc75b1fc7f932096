import type { DeviceState } from './model/device.js';
import type { UnitState } from './model/unit.js';

/** Units with something against them that nobody has answered for; others failed in the past and are known by their odds alone. */
export function heldUnits(device: DeviceState): UnitState[] {
  return device.units.filter(({ counted, unlocated, excused }) => counted + unlocated + excused > 0);
}
