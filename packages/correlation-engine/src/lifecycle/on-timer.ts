import { openPlannedCanary } from '../canary/open.js';
import { takeDueSnapshot } from '../canary/snapshot.js';
import { dueIds, editFleet, fleetOf } from '../evidence/draft.js';
import { closeQuietIncidents } from '../evidence/incidents.js';
import { learnRates } from '../evidence/posterior/rates.js';
import type { Step } from '../evidence/step.js';
import { closeDueCanaries } from './close-canary.js';
import { tellEndedHours } from './coverage.js';
import { uncordon } from './node-fault.js';
import { review, reviewAll } from './review.js';

/** Time passed: looks at whatever waited for it. A tick that nothing waited for changes nothing. */
export function applyTimer(step: Step): void {
  const { nowUs } = step.ctx;
  learnRates(step.draft, nowUs);
  closeDueCanaries(step);
  openPlannedCanary(step);
  takeDueSnapshot(step);
  tellEndedHours(step);
  const closed = closeQuietIncidents(step);
  for (const incident of closed)
    uncordon(step, incident, { actor: '', reason: 'Its devices had no mismatch for 7 days.' });
  const { reviewUs } = fleetOf(step.draft);
  if (closed.length > 0 || (reviewUs !== null && reviewUs <= nowUs)) {
    if (reviewUs !== null) editFleet(step.draft).reviewUs = null;
    reviewAll(step);
    return;
  }
  for (const id of dueIds(step.draft, nowUs)) review(step, id);
}
