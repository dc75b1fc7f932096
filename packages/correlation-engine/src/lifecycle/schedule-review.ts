import { editFleet, fleetOf, someoneIsAttentive } from '../evidence/draft.js';
import type { Step } from '../evidence/step.js';

const REVIEW_DELAY_US = 2_000_000;

/**
 * Looks at all held devices soon: something changed that a gate of theirs may depend on. Coalesced, so that a storm of
 * hellos costs one review; none where nobody is held.
 */
export function scheduleReview(step: Step): void {
  if (fleetOf(step.draft).reviewUs !== null || !someoneIsAttentive(step.draft)) return;
  editFleet(step.draft).reviewUs = step.ctx.nowUs + REVIEW_DELAY_US;
}
