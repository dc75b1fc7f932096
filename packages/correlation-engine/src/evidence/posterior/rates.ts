import { cohortOf } from '../cohorts.js';
import { configOf, type Draft, devicesOf, editFleet, fleetOf } from '../draft.js';
import { deviceExposure, exposureOf } from '../exposure.js';
import { JOB } from '../families.js';
import type { DeviceState } from '../model/device.js';
import type { Family } from '../model/terms.js';
import { totalsOf } from '../unit-totals.js';
import { modelKey } from './shrinkage.js';
import { ALWAYS_COUNTED, mostOf, type Pooled, rateOf, winsorised } from './winsorise.js';

/** How often the whole fleet is read for it: rates of passing faults move slowly. */
const LEARN_EVERY_US = 86_400_000_000;
const YEAR_US = 8766 * 3_600_000_000;

/**
 * Healthy failures per execution, from what the healthy devices of a cohort ran and one device's own part of it, which is
 * left out. Never below the prior: no fleet is so well known that a first wrong result convicts by itself.
 */
export function learnedRate(prior: number, cohort: Pooled, own: Pooled): number {
  const ownCounted = Math.min(own.failures, mostOf(rateOf(prior, cohort) * own.executions));
  const failures = Math.max(0, cohort.failures - ownCounted);
  const executions = Math.max(0, cohort.executions - own.executions);
  return Math.max(prior, rateOf(prior, { executions, failures }));
}

/** Of the cohort that the device belongs to with this family. Of jobs nothing is learned: agreement is not reported. */
export function healthyRate(draft: Draft, device: DeviceState, family: Family): number {
  const { healthy_failure_rate: prior, job_healthy_rate: ofJobs } = configOf(draft).attribution;
  if (family === JOB) return ofJobs;
  const cohort = fleetOf(draft).rates.cohorts[cohortOf(device, family)];
  if (cohort === undefined) return prior;
  return learnedRate(prior, cohort, exposureOf(draft, device.id, family) ?? { executions: 0, failures: 0 });
}

/** A wrong result counted: the rates are worth learning, a day from now at the latest. */
export function asksForRates(draft: Draft, nowUs: number): void {
  if (fleetOf(draft).rates.dueUs !== null) return;
  const fleet = editFleet(draft);
  fleet.rates = { ...fleet.rates, dueUs: nowUs + LEARN_EVERY_US };
}

/** Reads what every healthy device ran, if it is time to. O(devices and their families), once a day. */
export function learnRates(draft: Draft, nowUs: number): void {
  const { dueUs } = fleetOf(draft).rates;
  if (dueUs === null || dueUs > nowUs) return;
  const pools = new Map<string, Pool>();
  const years = new Map<string, number>();
  for (const device of devicesOf(draft)) {
    const life = deviceExposure(draft, device.id);
    if (life !== undefined) {
      const key = modelKey(device);
      years.set(key, (years.get(key) ?? 0) + (life.lastRunUs - life.firstRunUs) / YEAR_US);
    }
    if (device.state === 'HEALTHY' && totalsOf(device.units).held.length === 0) pool(draft, device, pools);
  }
  const prior = configOf(draft).attribution.healthy_failure_rate;
  const failing = [...pools].map(([cohort, ran]) => [cohort, countedIn(prior, ran)] as const);
  const known = failing.filter(([, { failures }]) => failures > 0).sort(byKey);
  editFleet(draft).rates = {
    dueUs: known.length > 0 ? nowUs + LEARN_EVERY_US : null,
    cohorts: Object.fromEntries(known),
    years: Object.fromEntries([...years].sort(byKey)),
  };
}

/** What the healthy devices of a cohort ran; those with more wrong results than always count are kept apart. */
interface Pool {
  executions: number;
  failures: number;
  readonly many: Pooled[];
}

function countedIn(prior: number, { executions, failures, many }: Pool): Pooled {
  return { executions, failures: winsorised(prior, { executions, failures }, many) };
}

function pool(draft: Draft, device: DeviceState, pools: Map<string, Pool>): void {
  for (const { family, cohort } of device.families) {
    const ran = exposureOf(draft, device.id, family);
    if (ran === undefined) continue;
    const sum = pools.get(cohort) ?? { executions: 0, failures: 0, many: [] };
    sum.executions += ran.executions;
    if (ran.failures > ALWAYS_COUNTED) sum.many.push(ran);
    else sum.failures += ran.failures;
    pools.set(cohort, sum);
  }
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
