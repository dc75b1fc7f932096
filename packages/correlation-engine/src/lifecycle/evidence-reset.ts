import type { DeviceState } from '../evidence/model.js';

/** Evidence is answered for: what comes next starts anew. */
export function resetEvidence(device: DeviceState): void {
  device.units = [];
  device.firstObservationUs = null;
  device.lastObservationUs = null;
  device.failingBuildIds = [];
  device.gates = [];
  device.wouldBe = null;
  device.injectedEvidence = false;
}
