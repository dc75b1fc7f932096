import type { DeviceState } from '../evidence/model/device.js';
import { PROBATION_US } from '../evidence/posterior/probation.js';
import { REINSTATED_ODDS, reinstated } from '../evidence/posterior/reinstatement.js';
import { emit, type Step } from '../evidence/step.js';
import { isInjected, unitsDetail } from './detail.js';
import { resetEvidence } from './evidence-reset.js';
import { scheduleReview } from './schedule-review.js';
import { type Move, transition } from './transition.js';

/**
 * Back into service, or out of suspicion by order: what was held against the device is answered for. Each unit that failed
 * goes back with odds of 0.01 and on probation, of which the ledger is told.
 */
export function reinstate(step: Step, device: DeviceState, move: Omit<Move, 'to' | 'timeUs'>): void {
  const { nowUs } = step.ctx;
  const units = device.units.map((unit) => reinstated(step.draft, device, unit, nowUs));
  const injected = isInjected(device);
  transition(step, device, { ...move, to: 'HEALTHY', timeUs: nowUs });
  if (units.length > 0) {
    const detail = {
      event: 'probation_began',
      odds: REINSTATED_ODDS,
      until_us: nowUs + PROBATION_US,
      actor: move.actor,
    };
    emit(step, 'DECISION', { gpu: device.id, eventUs: nowUs, injected }, { ...detail, units: unitsDetail(device) });
  }
  resetEvidence(device, units);
  scheduleReview(step);
}
