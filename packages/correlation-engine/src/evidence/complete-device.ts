import type { DeviceState } from './model/device.js';
import type { OutOfService } from './model/orders.js';
import type { AttributionSettings } from './model/settings.js';
import type { UnitPosterior, UnitState } from './model/unit.js';
import { afterFailures, neverFailed } from './posterior/recursion.js';

/** A stored device that may come from an earlier release: one that knew neither loud faults, posteriors nor proposals. */
export function completeDevice(device: DeviceState, settings: AttributionSettings): DeviceState {
  const units = device.units.map((unit) => completeUnit(unit, device, settings));
  // Earlier releases left the state of a deep test that ended with the hardware.
  const state = (device.replaced ?? null) !== null && device.state === 'DEEP_TEST' ? 'QUARANTINED' : device.state;
  return {
    ...device,
    state,
    vbiosVersion: device.vbiosVersion ?? '',
    cudaVersion: device.cudaVersion ?? '',
    loudFaults: device.loudFaults ?? null,
    signals: device.signals ?? null,
    patterns: device.patterns ?? [],
    confirmed: device.confirmed ?? [],
    soft: device.soft ?? [],
    trends: device.trends ?? null,
    told: device.told ?? null,
    slot: device.slot ?? '',
    replaced: device.replaced ?? null,
    out: completeOut(device),
    proposals: device.proposals ?? [],
    declined: device.declined ?? [],
    units,
  };
}

/** A device that is out of service since an earlier release was not counted deep tests of. */
function completeOut(device: DeviceState): OutOfService | null {
  const out = device.out === undefined ? outOf(device) : device.out;
  return out === null || Object.hasOwn(out, 'failedTests') ? out : { ...out, failedTests: 0, testedUs: null };
}

function outOf({ state, stateSinceUs, stateActor }: DeviceState): OutOfService | null {
  const isOut = state !== 'HEALTHY' && state !== 'SUSPECT';
  return isOut ? { sinceUs: stateSinceUs, byEngine: stateActor === '', failedTests: 0, testedUs: null } : null;
}

function completeUnit(unit: UnitState, device: DeviceState, settings: AttributionSettings): UnitState {
  const old: Partial<UnitState> = unit;
  if (old.deepTestOther !== undefined) return unit;
  if (old.posterior !== undefined) return { ...unit, deepTestOther: 0 };
  return {
    ...unit,
    deepTestOther: 0,
    consecutive: 0,
    reinstatedUs: null,
    posterior: posteriorOf(unit, device, settings),
  };
}

/** What it would be if the unit had failed so often at once in its first run: passes between were not kept. */
function posteriorOf(unit: UnitState, device: DeviceState, settings: AttributionSettings): UnitPosterior | null {
  if (unit.accused === 0) return null;
  const { failure_probabilities: thetas, healthy_failure_rate: lambda } = settings;
  const units = Math.max(1, device.sms.length * device.families.length);
  const onset = { perHour: 0, start: settings.unit_defects_per_gpu_year / units };
  const lnOdds = afterFailures(neverFailed(thetas, onset, 0, 0), thetas, lambda, unit.accused, unit.accused);
  return { lnOdds, sinceUs: unit.lastUs, same: unit.clean, other: 0, bins: 1 };
}
