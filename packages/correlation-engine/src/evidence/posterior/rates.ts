import { cohortOf } from '../cohorts.js';
import { configOf, type Draft, devicesOf, editFleet, fleetOf } from '../draft.js';
import { deviceExposure, exposureOf } from '../exposure.js';
import type { DeviceState } from '../model/device.js';
import type { Family } from '../model/terms.js';
import type { Exposure } from '../model/unit.js';
import { totalsOf } from '../unit-totals.js';
import { modelKey } from './shrinkage.js';

/** How often the whole fleet is read for it: rates of passing faults move slowly. */
const LEARN_EVERY_US = 86_400_000_000;
/** A device counts for no more wrong results than this, so that one bad device does not excuse its cohort. */
export const MAX_FAILURES_OF_ONE = 3;
const YEAR_US = 8766 * 3_600_000_000;

export interface Pooled {
  readonly executions: number;
  readonly failures: number;
}

/**
 * Healthy failures per execution, from what the healthy devices of a cohort ran and one device's own part of it, which is
 * left out. The prior stands for one failure in 1 / prior executions. Never below the prior: no fleet is so well known that
 * a first wrong result convicts by itself.
 */
export function learnedRate(prior: number, cohort: Pooled, own: Pooled): number {
  const failures = Math.max(0, cohort.failures - Math.min(own.failures, MAX_FAILURES_OF_ONE));
  const executions = Math.max(0, cohort.executions - own.executions);
  return Math.max(prior, (1 + failures) / (1 / prior + executions));
}

/** Of the cohort that the device belongs to with this family. */
export function healthyRate(draft: Draft, device: DeviceState, family: Family): number {
  const prior = configOf(draft).attribution.healthy_failure_rate;
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
  const pools = new Map<string, { executions: number; failures: number }>();
  const years = new Map<string, number>();
  for (const device of devicesOf(draft)) {
    const life = deviceExposure(draft, device.id);
    if (life !== undefined) {
      const key = modelKey(device);
      years.set(key, (years.get(key) ?? 0) + (life.lastRunUs - life.firstRunUs) / YEAR_US);
    }
    if (device.state === 'HEALTHY' && totalsOf(device.units).held.length === 0) pool(draft, device, pools);
  }
  const failing = [...pools].filter(([, { failures }]) => failures > 0).sort(byKey);
  editFleet(draft).rates = {
    dueUs: failing.length > 0 ? nowUs + LEARN_EVERY_US : null,
    cohorts: Object.fromEntries(failing),
    years: Object.fromEntries([...years].sort(byKey)),
  };
}

function pool(draft: Draft, device: DeviceState, pools: Map<string, { executions: number; failures: number }>): void {
  for (const { family, cohort } of device.families) {
    const ran = exposureOf(draft, device.id, family);
    if (ran === undefined) continue;
    const sum = pools.get(cohort) ?? { executions: 0, failures: 0 };
    sum.executions += ran.executions;
    sum.failures += winsorised(ran);
    pools.set(cohort, sum);
  }
}

function winsorised({ failures }: Exposure): number {
  return Math.min(failures, MAX_FAILURES_OF_ONE);
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
