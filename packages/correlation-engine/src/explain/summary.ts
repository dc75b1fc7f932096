import { type DecisionModel, posteriorOdds } from '../evidence/decision.js';
import { begin } from '../evidence/draft.js';
import { deviceExposure } from '../evidence/exposure.js';
import { heldUnits } from '../evidence/held-units.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { DirectiveState } from '../evidence/model/orders.js';
import type { CoreConfig } from '../evidence/model/settings.js';
import { NOTHING_YET } from '../evidence/register.js';
import { type DisplayedScore, displayedScore } from '../evidence/score.js';
import type { CoreState } from '../evidence/state.js';
import { effectiveSweeps } from '../evidence/sweeps.js';
import { unitName } from '../evidence/unit-name.js';
import { isInjected } from '../lifecycle/detail.js';
import { unansweredNote } from './declined.js';
import { nextTestNote } from './next-deep-test.js';
import { reinstatement } from './reinstatement.js';
import { waitingNote } from './waiting.js';

/** What a list shows of a device. */
export interface DeviceSummary {
  /** One line for a person, without the state itself. */
  summary: string;
  score: DisplayedScore;
  injected: boolean;
}

/** Cheap enough for every row of a fleet: O(units and directives of the device). */
export function summarize(
  state: CoreState,
  device: DeviceState,
  nowUs: number,
  model: DecisionModel = posteriorOdds,
): DeviceSummary {
  const { config } = state;
  const facts = begin(state);
  const odds = model.odds(device, nowUs, facts);
  const sweeps = effectiveSweeps(device, deviceExposure(facts, device.id), config.halfLifeHours, nowUs);
  const score = displayedScore(odds, { alpha: config.priorAlpha, beta: config.priorBeta }, sweeps);
  return {
    summary: `${line(device, config, nowUs)}${waitingNote(device)}${unansweredNote({ device, config, nowUs })}`,
    score,
    injected: isInjected(device),
  };
}

function line(device: DeviceState, config: CoreConfig, nowUs: number): string {
  switch (device.state) {
    case 'HEALTHY':
      return healthy(device);
    case 'SUSPECT':
      return `${accused(device)}: ${suspectStatus(device)}`;
    case 'QUARANTINED':
    case 'DEEP_TEST':
      return `${accused(device)}: ${testStatus(device, config, nowUs)}`;
    case 'CONDEMNED':
      return `${accused(device)}: condemned by ${device.stateActor}`;
  }
}

/** A device that was cleared had mismatches: it is not said to have had none. */
function healthy({ gates, stateReason }: DeviceState): string {
  if (gates.length > 0) return 'a mismatch was held by a gate and accuses nobody';
  return stateReason === NOTHING_YET ? 'no mismatch' : 'no mismatch since it was cleared';
}

function accused(device: DeviceState): string {
  const [first, ...others] = heldUnits(device);
  if (first === undefined) return device.stateActor === '' ? 'no failing unit' : `ordered by ${device.stateActor}`;
  return `${unitName(first)}${others.length === 0 ? '' : ` and ${others.length} more`}`;
}

function suspectStatus(device: DeviceState): string {
  if (device.wouldBe !== null) return `would be ${device.wouldBe} (observe mode)`;
  const held = device.gates.find((gate) => gate.number > 2 && gate.verdict === 'HOLD');
  const burst = openOf(device, 'burst');
  const work = burst === undefined ? watched(device) : `burst ${burst.done} of ${burst.executions}`;
  return held === undefined ? work : `${work}, ${held.name} holds`;
}

function watched(device: DeviceState): string {
  return openOf(device, 'follow-up') === undefined ? 'waiting for further runs' : 'under watch';
}

function testStatus(device: DeviceState, config: CoreConfig, nowUs: number): string {
  const test = openOf(device, 'deep-test');
  if (test === undefined) return nextTestNote(device, config, nowUs);
  const least = reinstatement(device, config).sort((a, b) => a.clean - b.clean)[0];
  if (least === undefined) return 'deep test scheduled';
  return `deep test ${least.clean} of ${least.needed} clean executions`;
}

function openOf(device: DeviceState, kind: DirectiveState['kind']): DirectiveState | undefined {
  return device.directives.find((directive) => directive.kind === kind && directive.status === 'open');
}
