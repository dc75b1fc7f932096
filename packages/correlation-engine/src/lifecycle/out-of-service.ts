import { configOf } from '../evidence/draft.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { Step } from '../evidence/step.js';
import { declinedOf, hoursUs, proposalOf, propose } from './proposals.js';
import { reinstate } from './reinstate.js';
import { noLongerLeftOut, noteWouldBe } from './would-be.js';

/**
 * A device that is out of service for too long is proposed for condemnation, and again as long after a refusal; the engine never
 * condemns. Returns when to look again.
 */
export function reviewOutOfService(step: Step, device: DeviceState): number | null {
  if (device.out === null || device.state === 'CONDEMNED' || device.replaced !== null) return null;
  const { mode, maxQuarantineHours } = configOf(step.draft);
  if (mode === 'enforce') forgetWouldBe(step, device);
  if (device.out === null || proposalOf(device, 'CONDEMN') !== undefined) return null;
  const sinceUs = declinedOf(device, 'CONDEMN')?.declinedUs ?? device.out.sinceUs;
  const dueUs = sinceUs + hoursUs(maxQuarantineHours);
  if (step.ctx.nowUs < dueUs) return dueUs;
  const reason = `Out of service for ${maxQuarantineHours} hours or more without being cleared.`;
  if (mode === 'observe') {
    if (device.wouldBe === null) noteWouldBe(step, device, 'CONDEMNED', reason);
    return null;
  }
  propose(step, device, { action: 'CONDEMN', cause: 'max-quarantine', reason });
  return null;
}

/** What observe mode only showed happens now. */
function forgetWouldBe(step: Step, device: DeviceState): void {
  const { wouldBe } = device;
  device.wouldBe = null;
  if (wouldBe !== 'HEALTHY') return;
  const reason = noLongerLeftOut(device.stateReason);
  const { requireApproval } = configOf(step.draft);
  if (requireApproval) propose(step, device, { action: 'REINSTATE', cause: 'require-approval', reason });
  else reinstate(step, device, { reason, actor: '' });
}
