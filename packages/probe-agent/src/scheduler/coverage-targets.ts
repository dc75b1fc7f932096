import type { Schedule } from '@sentinel/service-kit/config';
import type { CoverageTarget } from '../observing/coverage-map.js';
import { sliceSize } from './coverage.js';
import type { Testable } from './directive-plan.js';
import { plannedEntries } from './entries.js';

/** Within which time a schedule reaches every SM of a device, by family. */
export function coverageTargets(
  device: Testable & { readonly backend: 'cpu' | 'gpu' },
  schedule: Schedule,
): CoverageTarget[] {
  const { id: deviceId, sms, families, backend } = device;
  return plannedEntries(schedule, families, backend).entries.map(({ family, periodMs, coverage }) => {
    const periods = Math.ceil(sms.length / sliceSize(sms.length, coverage));
    return { deviceId, family, sms, dueMs: periods * periodMs };
  });
}
