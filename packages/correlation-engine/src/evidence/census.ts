import { type Cohort, cohortOf, parseCohort } from './cohorts.js';
import type { Draft } from './draft.js';
import { JOB } from './families.js';
import type { DeviceState } from './model/device.js';
import type { Family } from './model/terms.js';
import type { FamilyState } from './model/unit.js';
import { totalsOf } from './unit-totals.js';

/** Members of one cohort: how many, and which of them are clean, and on how many nodes. */
export interface Census {
  readonly devices: number;
  readonly cleanDevices: number;
  readonly cleanNodes: number;
  /** With hard observations of the family. */
  readonly failingDevices: number;
}

/** Counts of one cohort that follow its devices; as changes of a draft they may be negative. */
interface Counts {
  readonly identity: Cohort;
  devices: number;
  cleanDevices: number;
  failingDevices: number;
  /** Clean devices by node; 0 is left out. */
  readonly cleanByNode: Map<string, number>;
}

/** By cohort key. Derived from the devices; kept beside them so that a gate need not visit the fleet. */
export type CohortIndex = Map<string, Counts>;

/** One device as a member of one cohort. */
interface Membership {
  readonly cohort: string;
  readonly node: string;
  readonly clean: boolean;
  readonly failing: boolean;
}

/** What a draft changes about the counts: of its devices as the records before left them, and those that this record edits. */
export class CohortChanges {
  readonly index: CohortIndex = new Map();
  readonly #counted = new Map<string, readonly Membership[]>();
  readonly #touched = new Set<string>();

  /** The device may change until the next `settle`. */
  touch(id: string): void {
    this.#touched.add(id);
  }

  /** Between two records: counts what the one before edited, so that a look costs no more however many devices a draft holds. */
  settle(draft: Draft): void {
    for (const id of this.#touched) {
      const now = membershipsOf(draft.devices.get(id));
      for (const member of this.#before(draft, id)) addMember(this.index, member, -1);
      for (const member of now) addMember(this.index, member, 1);
      this.#counted.set(id, now);
    }
    this.#touched.clear();
  }

  /** Members of a cohort that were edited since `settle`, as they were counted then and as they are now. */
  pending(draft: Draft, cohort: string): (readonly [Membership, 1 | -1])[] {
    const found: (readonly [Membership, 1 | -1])[] = [];
    for (const id of this.#touched) {
      const before = this.#before(draft, id).find((member) => member.cohort === cohort);
      if (before !== undefined) found.push([before, -1]);
      const now = membershipIn(draft.devices.get(id), cohort);
      if (now !== undefined) found.push([now, 1]);
    }
    return found;
  }

  /** Cohorts that devices came to by this record. */
  *entered(draft: Draft): Generator<string> {
    for (const id of this.#touched) for (const { cohort } of membershipsOf(draft.devices.get(id))) yield cohort;
  }

  #before(draft: Draft, id: string): readonly Membership[] {
    const known = this.#counted.get(id) ?? membershipsOf(draft.base.devices.get(id));
    this.#counted.set(id, known);
    return known;
  }
}

/** Adds (`by` = 1) or removes (`by` = -1) a device. */
export function countDevice(index: CohortIndex, device: DeviceState, by: 1 | -1): void {
  for (const member of membershipsOf(device)) addMember(index, member, by);
}

/** The cohort as the draft sees it. O(nodes that the draft changed). */
export function censusOf(draft: Draft, cohort: string): Census {
  const base = draft.base.cohorts.get(cohort);
  const changed = draft.cohorts.index.get(cohort);
  const census = {
    devices: (base?.devices ?? 0) + (changed?.devices ?? 0),
    cleanDevices: (base?.cleanDevices ?? 0) + (changed?.cleanDevices ?? 0),
    cleanNodes: base?.cleanByNode.size ?? 0,
    failingDevices: (base?.failingDevices ?? 0) + (changed?.failingDevices ?? 0),
  };
  const nodes = new Map(changed?.cleanByNode);
  for (const [{ node, clean, failing }, by] of draft.cohorts.pending(draft, cohort)) {
    census.devices += by;
    if (failing) census.failingDevices += by;
    if (clean) census.cleanDevices += by;
    if (clean) nodes.set(node, (nodes.get(node) ?? 0) + by);
  }
  for (const [node, by] of nodes) {
    const before = base?.cleanByNode.get(node) ?? 0;
    census.cleanNodes += Number(before + by > 0) - Number(before > 0);
  }
  return census;
}

/** Every cohort of a model and family that has, or had, a device. */
export function cohortsOf(draft: Draft, { vendor, model }: DeviceState, family: Family): Set<string> {
  const { base, cohorts } = draft;
  const keys = new Set<string>();
  const add = (key: string, identity: Cohort): void => {
    if (identity.family === family && identity.model === model && identity.vendor === vendor) keys.add(key);
  };
  for (const [key, { identity }] of base.cohorts) add(key, identity);
  for (const [key, { identity }] of cohorts.index) add(key, identity);
  for (const key of cohorts.entered(draft)) if (!base.cohorts.has(key)) add(key, parseCohort(key));
  return keys;
}

function membershipsOf(device: DeviceState | undefined): readonly Membership[] {
  if (device === undefined) return [];
  return [...device.families.map((family) => membership(device, family)), inJobs(device)];
}

/** Whatever a device runs, jobs may run on it. */
function inJobs(device: DeviceState): Membership {
  return membership(device, { family: JOB, cohort: cohortOf(device, JOB), firstCleanUs: null });
}

function membershipIn(device: DeviceState | undefined, cohort: string): Membership | undefined {
  if (device === undefined) return undefined;
  const family = device.families.find((entry) => entry.cohort === cohort);
  if (family !== undefined) return membership(device, family);
  return cohortOf(device, JOB) === cohort ? inJobs(device) : undefined;
}

/** Clean = it ran the family cleanly, and there is no evidence against it. */
function membership(
  { node, state, units }: DeviceState,
  { family, cohort, firstCleanUs }: Pick<FamilyState, 'family' | 'cohort' | 'firstCleanUs'>,
): Membership {
  const { held, failing } = totalsOf(units);
  const clean = firstCleanUs !== null && state === 'HEALTHY' && !held.includes(family);
  return { cohort, node, clean, failing: failing.includes(family) };
}

function addMember(index: CohortIndex, { cohort, node, clean, failing }: Membership, by: 1 | -1): void {
  let counts = index.get(cohort);
  if (counts === undefined) {
    counts = { identity: parseCohort(cohort), devices: 0, cleanDevices: 0, failingDevices: 0, cleanByNode: new Map() };
    index.set(cohort, counts);
  }
  counts.devices += by;
  if (failing) counts.failingDevices += by;
  if (!clean) return;
  counts.cleanDevices += by;
  const count = (counts.cleanByNode.get(node) ?? 0) + by;
  if (count === 0) counts.cleanByNode.delete(node);
  else counts.cleanByNode.set(node, count);
}
