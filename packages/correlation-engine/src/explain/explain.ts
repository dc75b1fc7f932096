import { type DecisionModel, posteriorOdds, type UnitAssessment } from '../evidence/decision.js';
import { begin } from '../evidence/draft.js';
import type { PatternState } from '../evidence/model/device.js';
import type { GateOutcome, HealthState, WouldBe } from '../evidence/model/terms.js';
import { probabilityOf } from '../evidence/posterior/recursion.js';
import { thresholdOdds } from '../evidence/score.js';
import type { CoreState } from '../evidence/state.js';
import { shownGates } from './gates.js';
import { type CauseProbability, causesOfFailures } from './posterior.js';
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
  /** Of a defect of the device, and from where on a quarantine is asked for. */
  probability: number;
  probabilityNeeded: number;
  /** Likeliest first. */
  causes: CauseProbability[];
  units: UnitAssessment[];
  patterns: readonly PatternState[];
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
  const facts = begin(state);
  const assessment = model.assess(device, null, nowUs, facts);
  const gates = shownGates(state, device, nowUs, model);
  const view = { device, config: state.config, connected, assessment, gates, nowUs, model, facts };
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
    probability: assessment.probability,
    probabilityNeeded: probabilityOf(thresholdOdds(state.config).quarantine),
    causes: causesOfFailures(device, assessment),
    units: assessment.units.toSorted((a, b) => b.odds - a.odds),
    patterns: device.patterns,
  };
}
