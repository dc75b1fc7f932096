import type { DeviceState } from '../evidence/model.js';
import type { Step } from '../evidence/step.js';
import { resetEvidence } from './evidence-reset.js';
import { scheduleReview } from './schedule-review.js';
import { type Move, transition } from './transition.js';

/** Back into service, or out of suspicion: what was held against the device is answered for. */
export function reinstate(step: Step, device: DeviceState, move: Omit<Move, 'to' | 'timeUs'>): void {
  transition(step, device, { ...move, to: 'HEALTHY', timeUs: step.ctx.nowUs });
  resetEvidence(device);
  scheduleReview(step);
}
