import { configOf, type Draft } from '../draft.js';
import type { AttributionSettings, DeviceState, Family } from '../model.js';
import type { Beliefs } from './unit.js';

const HOURS_PER_YEAR = 8766;

/** What is believed of one family on one SM before its own evidence. */
export function unitBeliefs(draft: Draft, device: DeviceState, family: Family): Beliefs {
  const settings = configOf(draft).attribution;
  const units = Math.max(1, device.sms.length) * Math.max(1, device.families.length);
  return beliefsOf(settings, settings.unit_defects_per_gpu_year / units, healthyRate(draft, device, family));
}

/** Of the device as a whole, which fails on one SM after another. */
export function gpuBeliefs(draft: Draft): Beliefs {
  const settings = configOf(draft).attribution;
  return beliefsOf(settings, settings.gpu_defects_per_gpu_year, settings.healthy_failure_rate);
}

/** Of the node, which fails on one of its devices after another. */
export function nodeBeliefs(draft: Draft): Beliefs {
  const settings = configOf(draft).attribution;
  return beliefsOf(settings, settings.node_faults_per_node_year, settings.healthy_failure_rate);
}

function beliefsOf(settings: AttributionSettings, perYear: number, healthy: number): Beliefs {
  const thetas = settings.failure_probabilities;
  return {
    thetas,
    // Something may be dead on arrival: as likely as a defect in a year of service.
    onset: { perHour: perYear / HOURS_PER_YEAR, start: perYear },
    // A wrong result never speaks for health, however often healthy devices of a cohort seem to fail.
    lambda: Math.min(healthy, ...thetas),
    otherBinWeight: settings.other_bin_weight,
  };
}

function healthyRate(draft: Draft, _device: DeviceState, _family: Family): number {
  return configOf(draft).attribution.healthy_failure_rate;
}
