import { attentiveCount, editFleet, fleetOf } from '../evidence/draft.js';
import type { Step } from '../evidence/step.js';

const REVIEW_DELAY_US = 2_000_000;
/** In a storm such a review takes long, and is made the less often. */
const REVIEW_DELAY_PER_DEVICE_US = 1000;

/**
 * Looks at all held devices soon: something changed that a gate of theirs may depend on. Coalesced, so that a storm of
 * hellos costs one review; none where nobody is held.
 */
export function scheduleReview(step: Step): void {
  if (fleetOf(step.draft).reviewUs !== null) return;
  const devices = attentiveCount(step.draft);
  if (devices === 0) return;
  editFleet(step.draft).reviewUs = step.ctx.nowUs + Math.max(REVIEW_DELAY_US, devices * REVIEW_DELAY_PER_DEVICE_US);
}
