import { JOB } from './families.js';
import type { DeviceState } from './model/device.js';
import type { Family } from './model/terms.js';

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

/**
 * '' for a family that the device never announced: a cohort without members, which qualifies nobody. Jobs run on whatever shares model
 * and drivers, without a version of a probe.
 */
export function cohortOf(device: DeviceState, family: Family): string {
  if (family === JOB) return cohortKey(device, JOB, 0);
  return device.families.find((entry) => entry.family === family)?.cohort ?? '';
}
