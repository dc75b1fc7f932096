import type { DecisionModel } from '../evidence/decision.js';
import { begin } from '../evidence/draft.js';
import { evaluateGates } from '../evidence/gates/evaluate.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { GateOutcome } from '../evidence/model/terms.js';
import type { CoreState } from '../evidence/state.js';
import { newStep } from '../evidence/step.js';

/**
 * The gates that a reader should see: of a SUSPECT as they stand now, because they guard a decision still to be made; of any
 * other device as they stood at its last decision. [] where no mismatch ever asked for them.
 */
export function shownGates(state: CoreState, device: DeviceState, nowUs: number, model: DecisionModel): GateOutcome[] {
  if (device.state !== 'SUSPECT' || device.units.length === 0) return device.gates;
  const step = newStep(begin(state), { commitSeq: 0, nowUs }, { kind: 'record', commitSeq: 0 }, model);
  return evaluateGates(step, device).gates;
}
