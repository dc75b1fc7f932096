import type { CanaryFacts } from '../canary/facts.js';
import { GoldenDraft } from '../canary/goldens.js';
import { CohortChanges, countDevice } from './census.js';
import { type ExposureIndex, installExposure, moveExposure } from './exposure.js';
import { indexHardware } from './hardware.js';
import type { DeviceState } from './model/device.js';
import type { FleetFacts } from './model/fleet.js';
import type { NodeState } from './model/node.js';
import { indexSubjects, rowKey, type SavedDigests, unindexSubjects } from './model/saved-digests.js';
import type { CoreConfig } from './model/settings.js';
import { attendTo, type CoreState, needsAttention, type StateChanges } from './state.js';

/**
 * The changes of one transaction over an untouched CoreState. The shell begins a draft, applies the records of the
 * transaction, writes `changes` and the effects, and calls `install` only once the commit succeeded; a draft that is
 * dropped leaves no trace. At most one draft of a state may be open at a time.
 */
export interface Draft {
  readonly base: CoreState;
  readonly devices: Map<string, DeviceState>;
  /** Ids of devices that are given up. */
  readonly removed: Set<string>;
  readonly nodes: Map<string, NodeState>;
  /** By key; without parts = given up. */
  readonly saved: Map<string, SavedDigests>;
  fleet: FleetFacts | null;
  config: CoreConfig | null;
  canaries: CanaryFacts | null;
  /** Made when something is compared. */
  goldens: GoldenDraft | null;
  /** What ran: additions to the base's. */
  readonly exposure: ExposureIndex;
  readonly cohorts: CohortChanges;
  /** Old to new ids of devices whose history moved there, because other hardware has their id now. */
  readonly moved: Map<string, string>;
}

export function begin(base: CoreState): Draft {
  return {
    base,
    devices: new Map(),
    removed: new Set(),
    nodes: new Map(),
    saved: new Map(),
    fleet: null,
    config: null,
    canaries: null,
    goldens: null,
    exposure: new Map(),
    cohorts: new CohortChanges(),
    moved: new Map(),
  };
}

export function configOf(draft: Draft): CoreConfig {
  return draft.config ?? draft.base.config;
}

/** For reading only. */
export function fleetOf(draft: Draft): FleetFacts {
  return draft.fleet ?? draft.base.fleet;
}

/** For reading only. */
export function deviceOf(draft: Draft, id: string): DeviceState | undefined {
  const own = draft.devices.get(id);
  return own !== undefined || draft.removed.has(id) ? own : draft.base.devices.get(id);
}

/** For reading only. */
export function nodeOf(draft: Draft, node: string): NodeState | undefined {
  return draft.nodes.get(node) ?? draft.base.nodes.get(node);
}

/** The draft's own copy, which may be mutated. */
export function editDevice(draft: Draft, id: string): DeviceState {
  const own = draft.devices.get(id);
  const base = deviceOf(draft, id);
  if (own !== undefined) draft.cohorts.touch(id);
  else if (base === undefined) throw new RangeError(`no device ${id}`);
  else putDevice(draft, copyDevice(base));
  return draft.devices.get(id) as DeviceState;
}

/** A device that is new, or other hardware under a known id. */
export function putDevice(draft: Draft, device: DeviceState): void {
  draft.devices.set(device.id, device);
  draft.removed.delete(device.id);
  draft.cohorts.touch(device.id);
}

/** Nothing is kept of it, and of what it ran. */
export function removeDevice(draft: Draft, id: string): void {
  draft.devices.delete(id);
  draft.exposure.delete(id);
  draft.removed.add(id);
  draft.cohorts.touch(id);
}

export function editNode(draft: Draft, node: string): NodeState {
  const own = draft.nodes.get(node);
  if (own !== undefined) return own;
  const base = draft.base.nodes.get(node);
  if (base === undefined) throw new RangeError(`no node ${node}`);
  const copy = { ...base, deviceIds: [...base.deviceIds] };
  draft.nodes.set(node, copy);
  return copy;
}

export function editFleet(draft: Draft): FleetFacts {
  if (draft.fleet === null) {
    const { automaticQuarantinesUs, failing, confirmed } = draft.base.fleet;
    draft.fleet = {
      ...draft.base.fleet,
      automaticQuarantinesUs: [...automaticQuarantinesUs],
      failing: { ...failing },
      confirmed: { ...confirmed },
    };
  }
  return draft.fleet;
}

/** For reading only. */
export function canariesOf(draft: Draft): CanaryFacts {
  return draft.canaries ?? draft.base.canaries;
}

export function goldensOf(draft: Draft): GoldenDraft {
  draft.goldens ??= new GoldenDraft(draft.base.goldens);
  return draft.goldens;
}

export function editCanaries(draft: Draft, changed: Partial<CanaryFacts>): void {
  draft.canaries = { ...canariesOf(draft), ...changed };
}

/** Ids of the devices that need attention, as the draft sees them, in a stable order. */
export function attentiveIds(draft: Draft): string[] {
  const ids = new Set(draft.base.attentive);
  for (const id of draft.removed) ids.delete(id);
  for (const [id, device] of draft.devices) {
    if (needsAttention(device)) ids.add(id);
    else ids.delete(id);
  }
  return [...ids].sort();
}

/** How many devices need attention. O(devices changed by the draft). */
export function attentiveCount({ base, devices, removed }: Draft): number {
  let count = base.attentive.size;
  for (const id of removed) count -= Number(base.attentive.has(id));
  for (const [id, device] of devices) count += Number(needsAttention(device)) - Number(base.attentive.has(id));
  return count;
}

/** Ids of the devices for which it is time, as the draft sees them, in a stable order. */
export function dueIds({ base, devices, removed }: Draft, nowUs: number): string[] {
  const ids = base.due.until(nowUs).filter((id) => !devices.has(id) && !removed.has(id));
  for (const [id, device] of devices) {
    if (device.dueUs !== null && device.dueUs <= nowUs && needsAttention(device)) ids.push(id);
  }
  return ids.sort();
}

/** Every device, as the draft sees it, by id: that of memory is another order after a restart. For reading only. */
export function devicesOf(draft: Draft): DeviceState[] {
  const all = new Map([...draft.base.devices, ...draft.devices]);
  for (const id of draft.removed) all.delete(id);
  return [...all.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Every node, as the draft sees it, by name. For reading only. */
export function nodesOf({ base, nodes }: Draft): NodeState[] {
  return [...new Map([...base.nodes, ...nodes]).values()].sort((a, b) => (a.node < b.node ? -1 : 1));
}

/** Ids under which something is now different: changed, come, gone, or the history of other hardware. */
export function touchedIds({ devices, removed, moved }: Draft): string[] {
  return [...new Set([...devices.keys(), ...removed, ...moved.keys()])];
}

export function deviceCount(draft: Draft): number {
  let count = draft.base.devices.size;
  for (const id of draft.removed) if (draft.base.devices.has(id)) count -= 1;
  for (const id of draft.devices.keys()) if (!draft.base.devices.has(id)) count += 1;
  return count;
}

export function nodeCount(draft: Draft): number {
  let count = draft.base.nodes.size;
  for (const node of draft.nodes.keys()) if (!draft.base.nodes.has(node)) count += 1;
  return count;
}

/** What the transaction has to store. */
export function changes(draft: Draft): StateChanges {
  return {
    devices: [...draft.devices.values()],
    removed: [...draft.removed],
    nodes: [...draft.nodes.values()],
    saved: [...draft.saved.values()],
    fleet: draft.fleet,
    config: draft.config,
    canaries: draft.canaries,
  };
}

/** Makes the draft's changes the state. Call once, after the commit. */
export function install(draft: Draft): void {
  const { base } = draft;
  for (const [id, device] of draft.devices) {
    const before = base.devices.get(id);
    if (before !== undefined) uncount(base, before);
    countDevice(base.cohorts, device, 1);
    indexHardware(base.hardware, device, 1);
    base.devices.set(id, device);
    attendTo(base, device);
  }
  for (const [name, node] of draft.nodes) base.nodes.set(name, node);
  for (const row of draft.saved.values()) installSaved(base, row);
  if (draft.fleet !== null) base.fleet = draft.fleet;
  if (draft.config !== null) base.config = draft.config;
  if (draft.canaries !== null) base.canaries = draft.canaries;
  draft.goldens?.install();
  for (const [from, to] of draft.moved) moveExposure(base.exposure, from, to);
  installExposure(base.exposure, draft.exposure);
  for (const id of draft.removed) forgetDevice(base, id);
}

function uncount(base: CoreState, before: DeviceState): void {
  countDevice(base.cohorts, before, -1);
  indexHardware(base.hardware, before, -1);
}

function installSaved({ saved, savedSubjects }: CoreState, row: SavedDigests): void {
  const before = saved.get(rowKey(row));
  if (before !== undefined) unindexSubjects(savedSubjects, before);
  indexSubjects(savedSubjects, row);
  if (row.parts.length > 0) saved.set(rowKey(row), row);
  else saved.delete(rowKey(row));
}

function forgetDevice(base: CoreState, id: string): void {
  const before = base.devices.get(id);
  if (before !== undefined) uncount(base, before);
  base.devices.delete(id);
  base.exposure.delete(id);
  base.attentive.delete(id);
  base.due.set(id, null);
}

/** One of its own, to be edited. Units, gates, proposals and what was declined are replaced as a whole, never mutated, and so are shared. */
export function copyDevice(device: DeviceState): DeviceState {
  return {
    ...device,
    sms: [...device.sms],
    families: device.families.map((family) => ({ ...family, uncoveredSms: [...family.uncoveredSms] })),
    proposals: [...device.proposals],
    declined: [...device.declined],
    failingBuildIds: [...device.failingBuildIds],
    confirmed: [...device.confirmed],
    directives: device.directives.map((directive) => ({ ...directive })),
  };
}
