import type { JsonValue } from '../evidence/effects.js';
import { familyName } from '../evidence/families.js';
import type { DeviceState } from '../evidence/model/device.js';

/** Something about this device, as it stands, comes from a test build. */
export function isInjected(device: DeviceState): boolean {
  return device.testBuild || device.injectedEvidence;
}

/** At most this many units are named in a ledger entry, which is bounded; the rest are counted. */
const MAX_UNITS_IN_DETAIL = 32;

export function unitsDetail(device: DeviceState): JsonValue[] {
  const named: JsonValue[] = device.units.slice(0, MAX_UNITS_IN_DETAIL).map((unit) => ({
    family: familyName(unit.family),
    sm: unit.sm,
    counted: unit.counted,
    answers: unit.answers,
    unlocated: unit.unlocated,
    excused: unit.excused,
  }));
  const more = device.units.length - named.length;
  return more > 0 ? [...named, { more_units: more }] : named;
}

/** Absent where there is none. */
export function evidenceDetail(evidence: readonly string[]): { evidence?: string[] } {
  return evidence.length === 0 ? {} : { evidence: [...evidence] };
}

export function gatesDetail(device: DeviceState): JsonValue[] {
  return device.gates.map((gate) => ({
    gate: gate.number,
    name: gate.name,
    verdict: gate.verdict,
    reason: gate.reason,
    inputs: gate.inputs,
  }));
}
