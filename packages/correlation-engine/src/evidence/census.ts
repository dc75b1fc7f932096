import { type Cohort, parseCohort } from './cohorts.js';
import type { Draft } from './draft.js';
import type { DeviceState, Family, UnitState } from './model.js';

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

  /** Devices edited since `settle`, as they were counted then and as they are now. */
  *pending(draft: Draft): Generator<readonly [Membership, 1 | -1]> {
    for (const id of this.#touched) {
      for (const member of this.#before(draft, id)) yield [member, -1];
      for (const member of membershipsOf(draft.devices.get(id))) yield [member, 1];
    }
  }

  #before(draft: Draft, id: string): readonly Membership[] {
    return this.#counted.get(id) ?? membershipsOf(draft.base.devices.get(id));
  }
}

/** Adds (`by` = 1) or removes (`by` = -1) a device. */
export function countDevice(index: CohortIndex, device: DeviceState, by: 1 | -1): void {
  for (const member of membershipsOf(device)) addMember(index, member, by);
}

/** The cohort as the draft sees it. O(devices that the present record edited). */
export function censusOf(draft: Draft, cohort: string): Census {
  const changes: CohortIndex = new Map();
  for (const [member, by] of draft.cohorts.pending(draft)) {
    if (member.cohort === cohort) addMember(changes, member, by);
  }
  return sumOf([draft.base.cohorts.get(cohort), draft.cohorts.index.get(cohort), changes.get(cohort)]);
}

function sumOf([base, ...changes]: readonly (Counts | undefined)[]): Census {
  const sum = { devices: 0, cleanDevices: 0, failingDevices: 0 };
  const nodes = new Map<string, number>();
  for (const counts of [base, ...changes]) {
    sum.devices += counts?.devices ?? 0;
    sum.cleanDevices += counts?.cleanDevices ?? 0;
    sum.failingDevices += counts?.failingDevices ?? 0;
  }
  for (const counts of changes) {
    for (const [node, by] of counts?.cleanByNode ?? []) nodes.set(node, (nodes.get(node) ?? 0) + by);
  }
  let cleanNodes = base?.cleanByNode.size ?? 0;
  for (const [node, by] of nodes) {
    const before = base?.cleanByNode.get(node) ?? 0;
    cleanNodes += Number(before + by > 0) - Number(before > 0);
  }
  return { ...sum, cleanNodes };
}

/** Every cohort of a model and family that has, or had, a device. */
export function cohortsOf(draft: Draft, { vendor, model }: DeviceState, family: Family): Set<string> {
  const keys = new Set<string>();
  const add = (key: string, identity: Cohort): void => {
    if (identity.family === family && identity.model === model && identity.vendor === vendor) keys.add(key);
  };
  for (const [key, { identity }] of draft.base.cohorts) add(key, identity);
  for (const [key, { identity }] of draft.cohorts.index) add(key, identity);
  for (const [{ cohort }] of draft.cohorts.pending(draft)) {
    if (!draft.base.cohorts.has(cohort)) add(cohort, parseCohort(cohort));
  }
  return keys;
}

/** Clean = it ran the family cleanly, and there is no evidence against it. */
function membershipsOf(device: DeviceState | undefined): readonly Membership[] {
  if (device === undefined) return [];
  const { node, families, state } = device;
  const { held, failing } = familiesOf(device.units);
  return families.map(({ family, cohort, firstCleanUs }) => ({
    cohort,
    node,
    clean: firstCleanUs !== null && state === 'HEALTHY' && !held.includes(family),
    failing: failing.includes(family),
  }));
}

/** Families of which a device has something against it, and hard observations. */
interface FailingFamilies {
  readonly held: readonly Family[];
  readonly failing: readonly Family[];
}

/** Lists of units are replaced, never changed: what was found in one stays true. */
const found = new WeakMap<readonly UnitState[], FailingFamilies>();

function familiesOf(units: readonly UnitState[]): FailingFamilies {
  const known = found.get(units);
  if (known !== undefined) return known;
  const held: Family[] = [];
  const failing: Family[] = [];
  for (const { family, counted, unlocated, excused } of units) {
    if (counted > 0 && !failing.includes(family)) failing.push(family);
    if (counted + unlocated + excused > 0 && !held.includes(family)) held.push(family);
  }
  found.set(units, { held, failing });
  return { held, failing };
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
