import { type DecisionModel, posteriorOdds } from '../evidence/decision.js';
import { begin } from '../evidence/draft.js';
import type { GateOutcome, HealthState, WouldBe } from '../evidence/model.js';
import type { CoreState } from '../evidence/state.js';
import { shownGates } from './gates.js';
import { reinstatement, type UnitProgress } from './reinstatement.js';
import { whyInThisState } from './sentences.js';
import { type DeviceSummary, summarize } from './summary.js';
import { whatWouldChange } from './what-would-change.js';

export type { UnitProgress } from './reinstatement.js';

/** Why a device is in its state; observations and transitions are the store's to add. */
export interface Explanation extends DeviceSummary {
  state: HealthState;
  wouldBe: WouldBe | null;
  connected: boolean;
  /** For an operator on call. */
  sentences: string[];
  /** In order; [] = never evaluated, which a sentence says. */
  gates: GateOutcome[];
  whatWouldChange: string[];
  hardObservations: number;
  answers: number;
  /** Units of a device out of service; [] for any other. */
  reinstatement: UnitProgress[];
}

/** undefined = no such device. Changes nothing. */
export function explain(
  state: CoreState,
  deviceId: string,
  nowUs: number,
  model: DecisionModel = posteriorOdds,
): Explanation | undefined {
  const device = state.devices.get(deviceId);
  if (device === undefined) return undefined;
  const connected = state.nodes.get(device.node)?.connected === true && device.announced;
  const assessment = model.assess(device, null, nowUs, begin(state));
  const gates = shownGates(state, device, nowUs, model);
  const view = { device, config: state.config, connected, assessment, gates, nowUs };
  return {
    ...summarize(state, device, nowUs, model),
    state: device.state,
    wouldBe: device.wouldBe,
    connected,
    sentences: whyInThisState(view),
    gates,
    whatWouldChange: whatWouldChange(view),
    hardObservations: assessment.hardObservations,
    answers: assessment.answers,
    reinstatement: reinstatement(device, state.config),
  };
}
