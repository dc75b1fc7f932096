import { answered } from '../evidence/answered.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { UnitState } from '../evidence/model/unit.js';

/**
 * What was held against the device is answered for: what comes next starts anew. Units that failed stay known with their odds,
 * which the passes since then have lowered; those that nothing accused are forgotten, and so is what a test build made up.
 */
export function resetEvidence(device: DeviceState, units: readonly UnitState[] = device.units): void {
  device.units = device.injectedEvidence ? [] : units.filter(({ posterior }) => posterior !== null).map(answered);
  device.firstObservationUs = null;
  device.lastObservationUs = null;
  device.failingBuildIds = [];
  device.gates = [];
  device.wouldBe = null;
  device.injectedEvidence = false;
  device.signals = null;
  device.patterns = [];
}
