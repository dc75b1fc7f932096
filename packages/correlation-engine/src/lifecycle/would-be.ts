import type { DeviceState } from '../evidence/model/device.js';
import type { WouldBe } from '../evidence/model/terms.js';
import { emit, type Step } from '../evidence/step.js';
import { gatesDetail, isInjected, unitsDetail } from './detail.js';

const EVENTS: Readonly<Record<WouldBe, string>> = {
  HEALTHY: 'would_reinstate',
  QUARANTINED: 'would_quarantine',
  CONDEMNED: 'would_ask_to_condemn',
};

const LEFT_OUT = 'Observe mode leaves it out of service.';

/** Why a device that passed a deep test in observe mode is where it was. */
export function leftOut(reason: string): string {
  return `${reason} ${LEFT_OUT}`;
}

/** The same once the mode is another, so that nothing false is said of it any more. */
export function noLongerLeftOut(reason: string): string {
  return reason.replace(LEFT_OUT, 'Observe mode left it out of service until now.');
}

/** Observe mode decides and records, and acts on nothing. */
export function noteWouldBe(step: Step, device: DeviceState, wouldBe: WouldBe, reason: string): void {
  if (device.wouldBe === wouldBe) return;
  device.wouldBe = wouldBe;
  emit(
    step,
    'DECISION',
    { gpu: device.id, eventUs: step.ctx.nowUs, injected: isInjected(device) },
    {
      event: EVENTS[wouldBe],
      reason: `${reason} Observe mode leaves the device ${device.state}.`,
      commit_seq: step.ctx.commitSeq,
      node: device.node,
      units: unitsDetail(device),
      gates: gatesDetail(device),
    },
  );
}
