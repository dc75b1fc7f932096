import { configOf, type Draft } from '../draft.js';
import { JOB } from '../families.js';
import type { DeviceState } from '../model/device.js';
import type { AttributionSettings } from '../model/settings.js';
import type { Family } from '../model/terms.js';
import type { UnitName, UnitState } from '../model/unit.js';
import { softCusum } from '../soft/soft.js';
import { probationFactor } from './probation.js';
import { healthyRate } from './rates.js';
import { shrinkageOf } from './shrinkage.js';
import type { Beliefs } from './unit.js';

const HOURS_PER_YEAR = 8766;

/** A unit as its probation needs it; one that never failed is on none. */
type Asked = UnitName & Partial<Pick<UnitState, 'reinstatedUs'>>;

/** What is believed of the units (one family on one SM, or all that it does in jobs) of a device before their own evidence. */
export function unitBeliefs(draft: Draft, device: DeviceState, nowUs: number): (unit: Asked) => Beliefs {
  const settings = configOf(draft).attribution;
  const units = Math.max(1, device.sms.length) * Math.max(1, device.families.length);
  const likelier = shrinkageOf(draft, device);
  const soft = Math.exp(softCusum(draft, device, nowUs));
  const rates = new Map<Family, number>();
  return (unit) => {
    const rate = rates.get(unit.family) ?? healthyRate(draft, device, unit.family);
    rates.set(unit.family, rate);
    const probation = probationFactor(unit.reinstatedUs ?? null, nowUs);
    if (unit.family === JOB) return beliefsOf(settings, settings.gpu_defects_per_gpu_year * probation, rate, soft);
    const factor = likelier(unit.sm) * probation;
    return beliefsOf(settings, (settings.unit_defects_per_gpu_year * factor) / units, rate, soft);
  };
}

/** Of the device as a whole, which fails on one SM after another, with some of these families. */
export function gpuBeliefs(draft: Draft, device: DeviceState, families: readonly Family[]): Beliefs {
  const settings = configOf(draft).attribution;
  const probes = families.filter((family) => family !== JOB);
  return beliefsOf(settings, settings.gpu_defects_per_gpu_year, largestRate(draft, device, probes));
}

/** Where several cohorts contribute, the one with the most passing faults speaks for all. */
function largestRate(draft: Draft, device: DeviceState, families: readonly Family[]): number {
  const prior = configOf(draft).attribution.healthy_failure_rate;
  return Math.max(prior, ...families.map((family) => healthyRate(draft, device, family)));
}

/** `soft` = factor by which soft evidence makes an onset likelier; it says nothing about the start. */
function beliefsOf(settings: AttributionSettings, perYear: number, healthy: number, soft = 1): Beliefs {
  const thetas = settings.failure_probabilities;
  return {
    thetas,
    // Something may be dead on arrival: as likely as a defect in a year of service.
    onset: { perHour: (perYear * soft) / HOURS_PER_YEAR, start: perYear },
    // A wrong result never speaks for health, however often healthy devices of a cohort seem to fail.
    lambda: Math.min(healthy, ...thetas),
    otherBinWeight: settings.other_bin_weight,
  };
}
