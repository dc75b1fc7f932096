import { configOf, type Draft, editFleet, fleetOf } from '../draft.js';
import { deviceExposure } from '../exposure.js';
import type { DeviceState } from '../model/device.js';
import type { UnitName } from '../model/unit.js';

/** Confirmed units kept of one device: more of them add nothing to what is believed of the rest. */
const MAX_CONFIRMED = 64;
const YEAR_US = 8766 * 3_600_000_000;
/** Defects that every comparison begins with, observed and expected: a first confirmed one multiplies by 1.5. */
const PSEUDO_COUNT = 2;
const SMALLEST = 0.2;
const LARGEST = 50;
/** The other SM of the same cluster shares its supply and its place on the die. */
const SIBLING_FACTOR = 50;

/** Devices of one model share design and process. Lots are not reported by any agent. */
export function modelKey({ vendor, model }: { vendor: string; model: string }): string {
  return JSON.stringify([vendor, model]);
}

/** The defect of these units is certain. Counted once per unit, and once per device for its model. */
export function confirm(draft: Draft, device: DeviceState, units: readonly UnitName[]): void {
  if (device.confirmed.length === 0 && units.length > 0) {
    const { confirmed } = editFleet(draft);
    const key = modelKey(device);
    confirmed[key] = (confirmed[key] ?? 0) + 1;
  }
  for (const { family, sm } of units) {
    if (device.confirmed.length >= MAX_CONFIRMED) return;
    if (!device.confirmed.some((known) => known.family === family && known.sm === sm))
      device.confirmed.push({ family, sm });
  }
}

/** How much likelier than others each SM of this device is to be defective: a factor of its onset. */
export function shrinkageOf(draft: Draft, device: DeviceState): (sm: number) => number {
  const perYear = configOf(draft).attribution.unit_defects_per_gpu_year;
  const fleet = fleetOf(draft);
  const key = modelKey(device);
  const life = deviceExposure(draft, device.id);
  const expected = life === undefined ? 0 : (perYear * (life.lastRunUs - life.firstRunUs)) / YEAR_US;
  const expectedBeside = (expected * 2) / Math.max(1, device.sms.length);
  const together =
    ratio(fleet.confirmed[key] ?? 0, perYear * (fleet.rates.years[key] ?? 0)) *
    ratio(device.confirmed.length, expected);
  return (sm) => {
    const beside = device.confirmed.filter((unit) => Math.abs(unit.sm - sm) === 1).length;
    const clamped = Math.max(SMALLEST, Math.min(LARGEST, together * ratio(beside, expectedBeside)));
    return device.confirmed.some((unit) => unit.sm === siblingOf(sm)) ? clamped * SIBLING_FACTOR : clamped;
  };
}

function ratio(confirmed: number, expected: number): number {
  return (PSEUDO_COUNT + confirmed) / (PSEUDO_COUNT + expected);
}

/** SMs come in pairs that share a cluster. */
function siblingOf(sm: number): number {
  return sm ^ 1;
}
