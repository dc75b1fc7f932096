import { cohortOf } from '../evidence/cohorts.js';
import { deviceOf, editDevice, editNode, nodeOf } from '../evidence/draft.js';
import { incidentOfCohort } from '../evidence/gates/breadth.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { UnitName } from '../evidence/model/unit.js';
import type { Step } from '../evidence/step.js';
import { openBurst } from './directives.js';

/** The devices of a node are asked at most so often: a fault that lasts asks again, a flood of mismatches does not. */
const ASK_AGAIN_US = 3_600_000_000;

/**
 * The other devices of the node get the confirmation burst too: a fault of the node shows on them. Not while software is
 * suspected, which would show everywhere.
 */
export function askMates(step: Step, device: DeviceState, unit: UnitName): void {
  const node = nodeOf(step.draft, device.node);
  if (node === undefined || node.deviceIds.length < 2) return;
  if (step.ctx.nowUs < (node.matesAskedUs ?? 0) + ASK_AGAIN_US) return;
  if (incidentOfCohort(step.draft, cohortOf(device, unit.family)) !== undefined) return;
  editNode(step.draft, device.node).matesAskedUs = step.ctx.nowUs;
  for (const id of node.deviceIds)
    if (id !== device.id && canRun(deviceOf(step.draft, id), unit.family)) ask(step, id, unit);
}

function canRun(mate: DeviceState | undefined, family: number): boolean {
  if (mate?.announced !== true || (mate.state !== 'HEALTHY' && mate.state !== 'SUSPECT')) return false;
  return mate.sms.length > 0 && mate.families.some((entry) => entry.family === family);
}

function ask(step: Step, id: string, { family, sm }: UnitName): void {
  const mate = editDevice(step.draft, id);
  openBurst(step, mate, { family, sm: mate.sms.includes(sm) ? sm : (mate.sms[0] ?? 0) });
}
