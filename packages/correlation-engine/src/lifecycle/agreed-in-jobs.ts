import { JOB } from '../evidence/families.js';
import type { DeviceState } from '../evidence/model/device.js';

/**
 * Comparisons of a kind in which a device agreed with the others since it last lost one. Monitors tell of the same ones again and again,
 * each with its own count, so the largest stands for all.
 */
export function agreedInJobs(device: DeviceState, comparisons: number): void {
  device.units = device.units.map((unit) => {
    if (unit.family !== JOB || unit.posterior === null) return unit;
    return { ...unit, posterior: { ...unit.posterior, same: Math.max(unit.posterior.same, comparisons) } };
  });
}
