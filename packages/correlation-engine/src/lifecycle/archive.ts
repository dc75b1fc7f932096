import { removeDevice } from '../evidence/draft.js';
import { archivedDevices } from '../evidence/hardware.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { HealthState } from '../evidence/model/terms.js';
import { forget, type Step } from '../evidence/step.js';

/** Hardware that was taken out of places and is still known, so that it is not trusted anew when it comes back. */
export const MAX_ARCHIVED = 4_096;

/** What is given up last. */
const SEVERITY: Readonly<Record<HealthState, number>> = {
  HEALTHY: 0,
  SUSPECT: 1,
  QUARANTINED: 2,
  DEEP_TEST: 2,
  CONDEMNED: 3,
};

/** Beyond the bound what had the least against it is given up, of that what was taken out first. */
export function boundArchive(step: Step): void {
  const { base, devices } = step.draft;
  if (base.hardware.archived.size + devices.size <= MAX_ARCHIVED) return;
  const archived = archivedDevices(step.draft).sort(byWorth);
  const [least] = archived;
  if (least === undefined || archived.length <= MAX_ARCHIVED) return;
  removeDevice(step.draft, least.id);
  forget(step, 'archived_device');
}

function byWorth(a: DeviceState, b: DeviceState): number {
  return SEVERITY[a.state] - SEVERITY[b.state] || (a.replaced?.us ?? 0) - (b.replaced?.us ?? 0);
}
