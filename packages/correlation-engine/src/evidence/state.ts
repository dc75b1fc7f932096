import { type CanaryFacts, NO_CANARIES } from '../canary/facts.js';
import type { GoldenIndex } from '../canary/goldens.js';
import { type CohortIndex, countDevice } from './census.js';
import { completeConfig } from './complete-config.js';
import { completeDevice } from './complete-device.js';
import { completeFleet } from './complete-fleet.js';
import { DueTimes } from './due-times.js';
import { addTo, type ExposureIndex, type ExposureRow, exposureRows } from './exposure.js';
import { type HardwareIndex, indexHardware, newHardwareIndex } from './hardware.js';
import { incidentEndUs } from './incident-end.js';
import type { DeviceState } from './model/device.js';
import type { FleetFacts } from './model/fleet.js';
import type { NodeState } from './model/node.js';
import { indexSubjects, rowKey, type SavedDigests, type SubjectIndex } from './model/saved-digests.js';
import type { CoreConfig } from './model/settings.js';

/**
 * Everything the core remembers, between transactions. Only `install` changes it. Values inside are never mutated once
 * installed: a draft replaces them, so a reader may keep what it holds.
 */
export interface CoreState {
  config: CoreConfig;
  devices: Map<string, DeviceState>;
  nodes: Map<string, NodeState>;
  /** What jobs saved, by job and node. */
  saved: Map<string, SavedDigests>;
  /** Derived. */
  savedSubjects: SubjectIndex;
  fleet: FleetFacts;
  canaries: CanaryFacts;
  /** In memory alone. */
  goldens: GoldenIndex;
  /** Ids of devices that have something pending: not HEALTHY, units with evidence, a proposal, an open directive, mismatches to be told of. Derived. */
  attentive: Set<string>;
  /** When time alone may change something about each of them. Derived. */
  due: DueTimes;
  /** What ran, by device and family. Counted in place by `install`: read it between transactions. */
  exposure: ExposureIndex;
  /** Derived. */
  cohorts: CohortIndex;
  /** Derived. */
  hardware: HardwareIndex;
}

/** What a store keeps: one row per device, one per node, one per job and node that saved something, one for the fleet, one for the configuration. All JSON-safe. */
export interface StateChanges {
  devices: DeviceState[];
  /** Ids of devices that are not kept any more. */
  removed: string[];
  nodes: NodeState[];
  /** Without parts = not kept any more. */
  saved: SavedDigests[];
  fleet: FleetFacts | null;
  config: CoreConfig | null;
  canaries: CanaryFacts | null;
}

export interface SavedState {
  config: CoreConfig;
  devices: readonly DeviceState[];
  nodes: readonly NodeState[];
  /** Absent: of an earlier release. */
  saved?: readonly SavedDigests[];
  /** null = none saved yet. */
  fleet: FleetFacts | null;
  /** Absent: none saved yet. */
  canaries?: CanaryFacts | null;
  exposure: readonly ExposureRow[];
}

/** The state that a store gave back, or an empty one. */
export function loadState(saved: SavedState): CoreState {
  const config = completeConfig(saved.config);
  const state: CoreState = {
    config,
    devices: new Map(saved.devices.map((device) => [device.id, completeDevice(device, config.attribution)])),
    nodes: new Map(saved.nodes.map((node) => [node.node, node])),
    saved: new Map((saved.saved ?? []).map((row) => [rowKey(row), row])),
    savedSubjects: new Map(),
    fleet: completeFleet(saved.fleet),
    canaries: { ...NO_CANARIES, ...saved.canaries },
    goldens: new Map(),
    attentive: new Set(),
    due: new DueTimes(),
    exposure: new Map(),
    cohorts: new Map(),
    hardware: newHardwareIndex(),
  };
  for (const row of saved.exposure) addTo(state.exposure, row);
  for (const row of state.saved.values()) indexSubjects(state.savedSubjects, row);
  for (const device of state.devices.values()) {
    attendTo(state, device);
    countDevice(state.cohorts, device, 1);
    indexHardware(state.hardware, device, 1);
  }
  return state;
}

export function emptyState(config: CoreConfig): CoreState {
  return loadState({ config, devices: [], nodes: [], fleet: null, exposure: [] });
}

/** Everything, in a stable order: the input of `loadState` after a round trip through JSON. */
export function saveState(state: CoreState): SavedState {
  const byKey = <T>(map: Map<string, T>): T[] => [...map.keys()].sort().map((key) => map.get(key) as T);
  return {
    config: state.config,
    devices: byKey(state.devices),
    nodes: byKey(state.nodes),
    saved: byKey(state.saved),
    fleet: state.fleet,
    canaries: state.canaries,
    exposure: exposureRows(state.exposure),
  };
}

/** A device that a timer, a configuration change or another device's evidence may move. */
export function needsAttention(device: DeviceState): boolean {
  if (device.proposals.length > 0 || device.told?.rest) return true;
  if (device.replaced !== null) return false;
  return device.state !== 'HEALTHY' || device.units.length > 0 || device.directives.some((d) => d.status === 'open');
}

/** Keeps what is derived from a device in step with it. */
export function attendTo({ attentive, due }: Pick<CoreState, 'attentive' | 'due'>, device: DeviceState): void {
  const needs = needsAttention(device);
  if (needs) attentive.add(device.id);
  else attentive.delete(device.id);
  due.set(device.id, needs ? device.dueUs : null);
}

/**
 * Earliest time at which a timer record would change something; undefined = never. Timer records are worth committing only
 * then, which keeps the record log free of idle ticks. O(incidents that hold), however many devices wait.
 */
export function dueAt(state: CoreState): number | undefined {
  const { fleet, config, canaries } = state;
  const times = [
    fleet.reviewUs,
    fleet.rates.dueUs,
    fleet.coverageUs ?? null,
    canaries.nextUs,
    canaries.snapshotUs,
    ...canaries.open.map(({ dueUs }) => dueUs),
  ];
  let due = Math.min(state.due.earliestUs, ...times.map((us) => us ?? Number.POSITIVE_INFINITY));
  for (const incident of fleet.incidents) {
    if (incident.endedUs !== null) continue;
    due = Math.min(
      due,
      incidentEndUs(incident, fleet, config.gates, (id) => state.devices.get(id)),
    );
  }
  return due === Number.POSITIVE_INFINITY ? undefined : due;
}
