import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { familyName } from '@sentinel/correlation-engine/core';
import { loadSchedule, type Schedule } from '@sentinel/service-kit/config';
import type { FleetSpec } from '../scenario/scenario.js';

/** Numbers of the families that a GPU has. */
const GPU_FAMILIES = [1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19];

/** By name. */
export const FAMILY_NUMBERS: ReadonlyMap<string, number> = new Map(
  GPU_FAMILIES.map((family) => [familyName(family), family]),
);

/** How often an agent runs one family: each run covers all SMs of a GPU with one seed. */
export interface Cadence {
  readonly family: number;
  readonly periodUs: number;
}

const SECOND_US = 1_000_000;

/** @throws ConfigError when the schedule cannot be read */
export function cadencesOf(fleet: FleetSpec): Cadence[] {
  return scheduleOf(fleet.schedule).entries.flatMap(({ enabled, families, periodSeconds }) => {
    if (!enabled) return [];
    const known = families.flatMap((name) => FAMILY_NUMBERS.get(name) ?? []);
    const used = fleet.families === 'all' ? known : known.slice(0, 1);
    return used.map((family) => ({
      family,
      periodUs: Math.round((fleet.cadenceSeconds ?? periodSeconds) * SECOND_US),
    }));
  });
}

function scheduleOf(name: string): Schedule {
  const shipped = fileURLToPath(new URL(`../../../../config/probe_schedules/${name}.yaml`, import.meta.url));
  return loadSchedule(existsSync(shipped) ? shipped : name);
}
