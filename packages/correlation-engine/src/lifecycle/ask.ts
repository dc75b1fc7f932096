import { openTieBreak } from '../canary/open.js';
import { cohortOf } from '../evidence/cohorts.js';
import { JOB } from '../evidence/families.js';
import { incidentOfCohort } from '../evidence/gates/breadth.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { Family } from '../evidence/model/terms.js';
import type { UnitState } from '../evidence/model/unit.js';
import type { Step } from '../evidence/step.js';
import { totalsOf } from '../evidence/unit-totals.js';
import { askDevice } from './ask-device.js';
import { openBurst } from './directives.js';
import { askMates } from './mates.js';

/** Wrong answers of one family of a device after which more of them tell nothing new: the odds are far beyond every limit. */
export const ENOUGH_ANSWERS = 64;
/** The same while an incident of software holds: what the gates ask for, and no more. Every device of the cohort fails alike. */
const ENOUGH_IN_INCIDENT = 1;

/** A wrong result asks for answers: a burst, the node's other devices, two devices of other nodes. */
export function ask(step: Step, device: DeviceState, unit: UnitState): void {
  if (unit.family === JOB) return askDevice(step, device);
  openBurst(step, device, unit);
  askMates(step, device, unit);
  openTieBreak(step, device, unit.family);
}

/** The device gave so many wrong answers in this family that it is asked for no more, and need not go on. */
export function hasAnswered(step: Step, device: DeviceState, family: Family): boolean {
  const known = totalsOf(device.units).answered.get(family);
  if (known === undefined) return false;
  const inIncident = incidentOfCohort(step.draft, cohortOf(device, family)) !== undefined;
  // What no other SM could check is not counted as an answer, but repeats itself as well.
  return known.answers >= (inIncident ? ENOUGH_IN_INCIDENT : ENOUGH_ANSWERS) || known.unlocated >= ENOUGH_ANSWERS;
}

/** The same as it stood when this record, which may hold hundreds of mismatches, first asked. */
export function hadAnswered(step: Step, device: DeviceState, family: Family): boolean {
  const key = `${device.id} ${family}`;
  const known = step.answered.get(key) ?? hasAnswered(step, device, family);
  step.answered.set(key, known);
  return known;
}
