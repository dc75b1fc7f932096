import type { ObservationEffect } from '../evidence/effects.js';
import { familyName } from '../evidence/families.js';
import { earliest } from '../evidence/gates/evaluate.js';
import type { DeviceState, MismatchSum, ToldMismatches } from '../evidence/model/device.js';
import { emit, type Step } from '../evidence/step.js';

/** Mismatches of a device that the ledger gets one by one. Those after them are counted, until the device had none for a while. */
export const MISMATCHES_IN_FULL = 16;
/** So often the ledger gets what was counted, in one entry. As long without a mismatch, and the next ones are told in full again. */
export const SUM_EVERY_US = 3_600_000_000;

/** Is this mismatch an entry of its own? Otherwise it is part of the next sum: each is told once. */
export function isToldInFull(step: Step, device: DeviceState, effect: ObservationEffect): boolean {
  const { nowUs } = step.ctx;
  const { inFull, sinceUs, rest } = lately(device.told, nowUs);
  if (inFull < MISMATCHES_IN_FULL) {
    device.told = { inFull: inFull + 1, sinceUs: nowUs, rest };
    return true;
  }
  device.told = { inFull, sinceUs, rest: added(rest, effect) };
  device.dueUs = earliest([device.dueUs, nextSumUs(device)]);
  return false;
}

function lately(told: ToldMismatches | null, nowUs: number): ToldMismatches {
  const quiet = told === null || (told.rest === null && nowUs >= told.sinceUs + SUM_EVERY_US);
  return quiet ? { inFull: 0, sinceUs: nowUs, rest: null } : told;
}

function added(sum: MismatchSum | null, { family, timeUs, counted, injected }: ObservationEffect): MismatchSum {
  const name = familyName(family);
  const families = sum?.families ?? {};
  return {
    mismatches: (sum?.mismatches ?? 0) + 1,
    counted: (sum?.counted ?? 0) + Number(counted),
    injected: (sum?.injected ?? 0) + Number(injected),
    firstUs: Math.min(sum?.firstUs ?? timeUs, timeUs),
    lastUs: Math.max(sum?.lastUs ?? timeUs, timeUs),
    families: { ...families, [name]: (families[name] ?? 0) + 1 },
  };
}

/** When the next sum is due; null = there is nothing to tell. */
export function nextSumUs({ told }: Pick<DeviceState, 'told'>): number | null {
  return told === null || told.rest === null ? null : told.sinceUs + SUM_EVERY_US;
}

/** Tells the ledger of what was counted, once it is time. */
export function tellSum(step: Step, device: DeviceState): void {
  const { nowUs } = step.ctx;
  const { told } = device;
  if (told === null || told.rest === null || nowUs < told.sinceUs + SUM_EVERY_US) return;
  const { mismatches, counted, injected, firstUs, lastUs, families } = told.rest;
  const subject = { gpu: device.id, eventUs: lastUs, injected: injected > 0 };
  emit(step, 'PROBE', subject, {
    event: 'mismatches_more',
    node: device.node,
    mismatches,
    counted,
    injected,
    first_us: firstUs,
    last_us: lastUs,
    families: { ...families },
  });
  device.told = { ...told, sinceUs: nowUs, rest: null };
}
