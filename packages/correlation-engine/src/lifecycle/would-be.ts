import type { DeviceState } from '../evidence/model/device.js';
import type { WouldBe } from '../evidence/model/terms.js';
import { emit, type Step } from '../evidence/step.js';
import { gatesDetail, isInjected, unitsDetail } from './detail.js';

const EVENTS: Readonly<Record<WouldBe, string>> = {
  HEALTHY: 'would_reinstate',
  QUARANTINED: 'would_quarantine',
  CONDEMNED: 'would_ask_to_condemn',
};

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
