import type { Census } from '../census.js';
import { cohortOf } from '../cohorts.js';
import { ARCHITECTURE_INDEPENDENT, familyName, JOB } from '../families.js';
import type { DeviceState } from '../model/device.js';
import type { CoreConfig, GateSettings } from '../model/settings.js';
import type { Family } from '../model/terms.js';
import type { GateAnswer } from './outcome.js';

interface FamilyQualification {
  family: Family;
  qualified: boolean;
  /** An operator signed for the cohort, and that holds still; `expired` = it held once. */
  vouched: boolean;
  expired: boolean;
  cleanDevices: number;
  cleanNodes: number;
  /** It has the clean devices and nodes that vouch for it. */
  large: boolean;
  selfTested: boolean;
  passed: number;
  needed: number;
}

const IN_JOBS = 'In a job other devices gave the right answer, so no cohort has to vouch for a golden.';

/** Gate 3 for each of the families; which of them may accuse. */
export function cohortGate(
  censusOf: (cohort: string) => Census,
  { gates, vouchedCohorts, vouchedUntilUs }: Pick<CoreConfig, 'gates' | 'vouchedCohorts' | 'vouchedUntilUs'>,
  device: DeviceState,
  families: readonly Family[],
  nowUs: number,
): GateAnswer & { accusing: Family[] } {
  const over = vouchedUntilUs !== null && vouchedUntilUs <= nowUs;
  const probes = families.filter((family) => family !== JOB);
  const all = probes.map((family) => {
    const key = cohortOf(device, family);
    const signed = vouchedCohorts.includes(key);
    return qualify(censusOf(key), gates, device, { family, vouched: signed && !over, expired: signed && over });
  });
  const accusing = all.filter((entry) => entry.qualified).map((entry) => entry.family);
  const inputs: Record<string, string> = {};
  // In a job other devices are what it was compared with: there is no golden that a cohort would have to vouch for.
  const inJobs = probes.length < families.length;
  if (inJobs) inputs['job_compared_with'] = 'other devices of the job';
  for (const entry of all) {
    const name = familyName(entry.family);
    inputs[`${name}_clean_devices`] = `${entry.cleanDevices} of ${gates.cohort_min_gpus}`;
    inputs[`${name}_clean_nodes`] = `${entry.cleanNodes} of ${gates.cohort_min_nodes}`;
    inputs[`${name}_signed_manifest`] = manifestText(entry);
    inputs[`${name}_self_tested_sms`] = `${entry.passed} of ${entry.needed}`;
    inputs[`${name}_golden`] = ARCHITECTURE_INDEPENDENT.has(entry.family)
      ? 'architecture independent'
      : 'of this architecture';
  }
  const reason = [...(inJobs ? [IN_JOBS] : []), ...all.map(sentence)].join(' ');
  const mayAccuse = inJobs ? [JOB, ...accusing] : accusing;
  return { verdict: mayAccuse.length > 0 ? 'PASS' : 'HOLD', reason, inputs, accusing: mayAccuse };
}

function manifestText({ vouched, expired }: FamilyQualification): string {
  if (expired) return 'named its cohort, and has expired';
  return vouched ? 'names its cohort' : 'does not name its cohort';
}

function qualify(
  census: Census,
  settings: GateSettings,
  device: DeviceState,
  { family, vouched, expired }: Pick<FamilyQualification, 'family' | 'vouched' | 'expired'>,
): FamilyQualification {
  const cleanDevices = census.cleanDevices;
  const cleanNodes = census.cleanNodes;
  const state = device.families.find((entry) => entry.family === family);
  const needed = Math.max(1, Math.ceil(device.sms.length * settings.cohort_selftest_fraction));
  const passed = state?.selfTestSmsPassed ?? 0;
  const selfTested = ARCHITECTURE_INDEPENDENT.has(family) && passed >= needed;
  const large = cleanDevices >= settings.cohort_min_gpus && cleanNodes >= settings.cohort_min_nodes;
  return {
    family,
    qualified: large || vouched || selfTested,
    vouched,
    expired,
    cleanDevices,
    cleanNodes,
    large,
    selfTested,
    passed,
    needed,
  };
}

function sentence(entry: FamilyQualification): string {
  const name = familyName(entry.family);
  const cohort = `${entry.cleanDevices} clean devices on ${entry.cleanNodes} nodes`;
  if (entry.vouched) return `The signed manifest names the cohort of ${name}, which has ${cohort}.`;
  if (entry.large) return `The cohort of ${name} has ${cohort}.`;
  const selfTest = `${entry.passed} of its SMs passed the known answers at agent start (${entry.needed} needed)`;
  if (entry.selfTested)
    return `The cohort of ${name} is small, but its golden is architecture independent and ${selfTest}: COHORT_SELF_TESTED.`;
  const manifest = entry.expired ? ', the signed manifest that named it has expired' : '';
  return `${name} may not accuse: its cohort has only ${cohort}${manifest}, and ${selfTest}.`;
}
