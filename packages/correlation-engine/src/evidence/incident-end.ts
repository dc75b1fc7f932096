import type { FleetFacts, GateSettings } from './model.js';

/** How long a node's newest mismatch keeps an incident open. */
export const BREADTH_KEEP_US = 168 * 3_600_000_000;

/**
 * When a declared incident ends unless its nodes fail again: as soon as fewer of them have failed within 7 days than an
 * incident needs. A fault of software does not become one of hardware by lasting longer than the widest window.
 */
export function incidentEndUs(fleet: FleetFacts, cohort: string, settings: GateSettings): number {
  const newestFirst = (fleet.breadth[cohort] ?? []).map((entry) => entry.lastUs).sort((a, b) => b - a);
  const deciding = newestFirst[settings.breadth_nodes - 1];
  return deciding === undefined ? 0 : deciding + BREADTH_KEEP_US;
}
