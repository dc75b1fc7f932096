import type { DeviceState } from './model/device.js';
import type { CohortFailures, FleetFacts, Incident } from './model/fleet.js';
import type { GateSettings } from './model/settings.js';

/** How long a newest mismatch keeps an incident open. */
export const BREADTH_KEEP_US = 168 * 3_600_000_000;

/** As many devices of a node as a fault of the node needs. */
const DEVICES_OF_NODE = 2;

/**
 * When an incident ends unless it fails again: as soon as fewer nodes (fault of a node: devices) have failed within 7 days than
 * an incident needs. A fault of software does not become one of hardware by lasting longer than the widest window.
 */
export function incidentEndUs(
  incident: Incident,
  fleet: FleetFacts,
  settings: GateSettings,
  deviceOf: (id: string) => DeviceState | undefined,
): number {
  if (incident.pattern === 'PROBE_OR_SOFTWARE')
    return cohortEndUs(fleet.failing[incident.cohort], settings.breadth_nodes);
  return endUs(
    incident.devices.map((id) => deviceOf(id)?.lastObservationUs ?? 0),
    DEVICES_OF_NODE,
  );
}

/** Failures of a cohort are replaced, never changed: what was found for one number of nodes stays true. */
const known = new WeakMap<CohortFailures, { readonly needed: number; readonly us: number }>();

/** Asked of every incident after every transaction, of which few change any: O(1) for those that it did not. */
function cohortEndUs(failures: CohortFailures | undefined, needed: number): number {
  if (failures === undefined) return 0;
  const found = known.get(failures);
  if (found?.needed === needed) return found.us;
  const us = endUs(
    failures.nodes.map(({ lastUs }) => lastUs),
    needed,
  );
  known.set(failures, { needed, us });
  return us;
}

function endUs(lastUs: readonly number[], needed: number): number {
  const deciding = newest(lastUs, needed).at(needed - 1);
  return deciding === undefined ? 0 : deciding + BREADTH_KEEP_US;
}

/** The newest so many, in order, of lists that are mostly in order already. */
function newest(times: readonly number[], count: number): number[] {
  const found: number[] = [];
  for (const us of times) {
    if (found.length === count && us <= (found[count - 1] ?? us)) continue;
    const at = found.findIndex((other) => other < us);
    found.splice(at < 0 ? found.length : at, 0, us);
    if (found.length > count) found.pop();
  }
  return found;
}
