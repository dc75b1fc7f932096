import { cohortOf } from '../evidence/cohorts.js';
import { deviceOf, editDevice } from '../evidence/draft.js';
import { incidentOfCohort } from '../evidence/gates/breadth.js';
import { incidentOfNode } from '../evidence/gates/node.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { Step } from '../evidence/step.js';
import { totalsOf } from '../evidence/unit-totals.js';
import { needsReview, review } from './review.js';

/** A suspect that an incident holds is looked at so often, however often it fails. */
export const HELD_REVIEW_US = 300_000_000;

/** Runs said something about a device: looks at it at once, or soon where an incident holds it and one more wrong result decides nothing. */
export function reviewAfterRuns(step: Step, id: string): void {
  const device = deviceOf(step.draft, id);
  if (device === undefined || !needsReview(step, id)) return;
  const heldUs = heldUntilUs(step, device);
  if (heldUs <= step.ctx.nowUs) review(step, id);
  else if (device.dueUs === null || device.dueUs > heldUs) editDevice(step.draft, id).dueUs = heldUs;
}

function heldUntilUs({ draft }: Step, device: DeviceState): number {
  if (device.state !== 'SUSPECT' || device.directives.some(({ status }) => status === 'open')) return 0;
  const held = device.gates.find(({ name, verdict }) => verdict === 'HOLD' && (name === 'breadth' || name === 'node'));
  if (held === undefined) return 0;
  const holds =
    held.name === 'node'
      ? incidentOfNode(draft, device.node) !== undefined
      : totalsOf(device.units).failing.some(
          (family) => incidentOfCohort(draft, cohortOf(device, family)) !== undefined,
        );
  return holds ? held.evaluatedUs + HELD_REVIEW_US : 0;
}
