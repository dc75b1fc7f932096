import type { Draft } from './draft.js';
import { heldUnits } from './held-units.js';
import type { DeviceState, Family, FamilyState } from './model.js';

/** Members of one cohort: how many, and which of them are clean, by node. */
export interface Census {
  devices: number;
  cleanDevices: number;
  /** With hard observations of the family. */
  failingDevices: number;
  cleanByNode: Map<string, number>;
}

/** Census by cohort key. Derived from the devices; kept beside them so that a gate need not visit the fleet. */
export type CohortIndex = Map<string, Census>;

/** What makes the results of devices comparable, besides the family and its probe version. */
export interface CohortIdentity {
  vendor: string;
  model: string;
  driverVersion: string;
  /** '' where there is none, or where the agent did not say. */
  vbiosVersion: string;
  cudaVersion: string;
}

export interface Cohort extends CohortIdentity {
  family: Family;
  probeVersion: number;
}

/** Devices whose results are comparable: same vendor, model, firmware, driver, CUDA, family and probe version. */
export function cohortKey(device: CohortIdentity, family: Family, probeVersion: number): string {
  const { vendor, model, driverVersion, vbiosVersion, cudaVersion } = device;
  // Without firmware and CUDA the key is that of releases that did not know them, so that what was seen of a CPU stays its own.
  const more = vbiosVersion === '' && cudaVersion === '' ? [] : [vbiosVersion, cudaVersion];
  return JSON.stringify([vendor, model, driverVersion, family, probeVersion, ...more]);
}

export function parseCohort(key: string): Cohort {
  const [vendor, model, driverVersion, family, probeVersion, vbiosVersion = '', cudaVersion = ''] = JSON.parse(key) as [
    string,
    string,
    string,
    Family,
    number,
    string?,
    string?,
  ];
  return { vendor, model, driverVersion, family, probeVersion, vbiosVersion, cudaVersion };
}

export function familyOfCohort(cohort: string): Family {
  return parseCohort(cohort).family;
}

/** '' for a family that the device never announced: a cohort without members, which qualifies nobody. */
export function cohortOf(device: DeviceState, family: Family): string {
  return device.families.find((entry) => entry.family === family)?.cohort ?? '';
}

/** Adds (`by` = 1) or removes (`by` = -1) a device. */
export function countDevice(index: CohortIndex, device: DeviceState, by: 1 | -1): void {
  for (const family of device.families) {
    let census = index.get(family.cohort);
    if (census === undefined) {
      census = emptyCensus();
      index.set(family.cohort, census);
    }
    addMember(census, device, family, by);
  }
}

/** How many devices there are of a kind, and how many of them failed. */
export interface CohortSize {
  devices: number;
  failingDevices: number;
}

/** Of the cohort, as the draft sees it. O(devices changed by the draft). */
export function sizeOfCohort(draft: Draft, cohort: string): CohortSize {
  const census = { ...emptyCensus(), ...draft.base.cohorts.get(cohort), cleanByNode: new Map() };
  addChanges(draft, cohort, census);
  return census;
}

/** Every cohort that has, or had, a device. */
export function cohortsOf(draft: Draft): Set<string> {
  const cohorts = new Set(draft.base.cohorts.keys());
  for (const { families } of draft.devices.values()) for (const { cohort } of families) cohorts.add(cohort);
  return cohorts;
}

/** The cohort as the draft sees it. O(clean nodes of the cohort + devices changed by the draft). */
export function censusOf(draft: Draft, cohort: string): Census {
  const base = draft.base.cohorts.get(cohort);
  const census: Census = base === undefined ? emptyCensus() : { ...base, cleanByNode: new Map(base.cleanByNode) };
  addChanges(draft, cohort, census);
  return census;
}

function addChanges(draft: Draft, cohort: string, census: Census): void {
  for (const [id, device] of draft.devices) {
    const before = draft.base.devices.get(id);
    if (before !== undefined) addIfMember(census, before, cohort, -1);
    addIfMember(census, device, cohort, 1);
  }
}

function addIfMember(census: Census, device: DeviceState, cohort: string, by: 1 | -1): void {
  const family = device.families.find((entry) => entry.cohort === cohort);
  if (family !== undefined) addMember(census, device, family, by);
}

function addMember(census: Census, device: DeviceState, family: FamilyState, by: 1 | -1): void {
  census.devices += by;
  if (device.units.some((unit) => unit.family === family.family && unit.counted > 0)) census.failingDevices += by;
  if (!isClean(device, family)) return;
  census.cleanDevices += by;
  const count = (census.cleanByNode.get(device.node) ?? 0) + by;
  if (count === 0) census.cleanByNode.delete(device.node);
  else census.cleanByNode.set(device.node, count);
}

/** Ran the family cleanly, and there is no evidence against it. */
function isClean(device: DeviceState, family: FamilyState): boolean {
  return (
    family.firstCleanUs !== null &&
    device.state === 'HEALTHY' &&
    !heldUnits(device).some((unit) => unit.family === family.family)
  );
}

function emptyCensus(): Census {
  return { devices: 0, cleanDevices: 0, failingDevices: 0, cleanByNode: new Map() };
}
