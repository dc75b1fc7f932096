import { createHash } from 'node:crypto';
import type { Schedule } from '@sentinel/service-kit/config';
import { type FamilyName, familiesOfProbe } from '../families.js';
import { EPOCH_MS } from './seed-indices.js';
import { type ScheduledDevice, type ScheduleEntry, Timetable } from './timetable.js';

export interface Planned {
  readonly entries: readonly ScheduleEntry[];
  /** Probe types of the schedule that have no family here: they do not run, and somebody should know. */
  readonly absent: readonly string[];
}

/**
 * The lines of a schedule file that a device can run. One launch covers all SMs of a GPU at the cost of one, so that there every
 * period covers them all; `sm_coverage` divides the logical CPUs of a CPU device.
 */
export function plannedEntries(schedule: Schedule, available: readonly FamilyName[], backend: 'cpu' | 'gpu'): Planned {
  const enabled = schedule.entries.filter((entry) => entry.enabled);
  const entries = enabled.flatMap((entry) =>
    familiesOfProbe(entry.type)
      .filter((family) => available.includes(family))
      .map((family) => ({
        probe: entry.type,
        family,
        periodMs: entry.periodSeconds * 1000,
        coverage: backend === 'gpu' ? 1 : entry.smCoverage,
        priority: entry.priority,
        timeoutMs: entry.timeoutMs,
      })),
  );
  const absent = enabled.map(({ type }) => type).filter((type) => !entries.some(({ probe }) => probe === type));
  return { entries, absent };
}

export function timetableOf(devices: readonly ScheduledDevice[], { entries }: Planned): Timetable {
  return new Timetable(devices, entries, offsetMs);
}

/** Where in an epoch a device runs: the same after every restart, different ones spread over the fleet. */
function offsetMs(deviceId: string): number {
  return createHash('sha256').update(deviceId).digest().readUInt32BE(0) % EPOCH_MS;
}
