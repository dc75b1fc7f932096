import { failuresIn } from './failing.js';
import { differsFromModalDigest } from './gates/breadth.js';
import type { DeviceState } from './model/device.js';
import type { Incident } from './model/fleet.js';
import type { CoreState } from './state.js';
import { modalDigest } from './votes.js';

/** What an incident is about, as it stands now. */
export interface IncidentMembers {
  /** Suspects that it holds, and devices out of service that it may explain as well; sorted. */
  held: string[];
  out: string[];
  /** What nearly all failing nodes computed for one seed; null = their wrong results differ. */
  modalDigest: number | null;
}

/** O(devices that need attention). */
export function membersOf(state: CoreState, incident: Incident): IncidentMembers {
  const failures = failuresIn(state.fleet, incident.cohort);
  const held: string[] = [];
  const out: string[] = [];
  if (incident.endedUs === null)
    for (const id of [...state.attentive].sort()) {
      const device = state.devices.get(id);
      if (device === undefined || !isPartOf(device, incident)) continue;
      const family = familyOf(device, incident);
      if (family !== null && differsFromModalDigest(failures, device, family)) continue;
      if (device.state === 'SUSPECT') held.push(id);
      else if (device.state !== 'CONDEMNED' && device.stateActor === '') out.push(id);
    }
  const mode = incident.endedUs === null ? modalDigest(failures.votes) : incident.modalDigest;
  return { held, out, modalDigest: mode };
}

function familyOf(device: DeviceState, { cohort }: Incident): number | null {
  return device.families.find((entry) => entry.cohort === cohort)?.family ?? null;
}

function isPartOf(device: DeviceState, incident: Incident): boolean {
  if (incident.pattern === 'NODE_CORRELATED') return incident.devices.includes(device.id);
  const family = familyOf(device, incident);
  return device.units.some((unit) => unit.family === family && unit.counted + unit.excused > 0);
}
