import { deviceOf, editDevice, editNode, putDevice } from '../evidence/draft.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { NodeState } from '../evidence/model/node.js';
import type { HelloDevice, HelloRecord } from '../evidence/record.js';
import { conflictingOwner, describeDevice, MAX_DEVICES_PER_NODE, newDevice } from '../evidence/register.js';
import { emit, type Step } from '../evidence/step.js';
import { endDeepTest } from './deep-test.js';
import { openDeepTestOf, sendDirective } from './directives.js';
import { keepClaim } from './keep-claim.js';
import { noteReplacement } from './replacement.js';
import { review } from './review.js';
import { testNewBuild } from './schedule-deep-test.js';

/** Makes the device one of this node's, unless it belongs to another that is still there: then the claim waits. */
export function admit(step: Step, node: NodeState, record: HelloRecord, described: HelloDevice): boolean {
  const { id } = described;
  const owner = conflictingOwner(step.draft, record, id);
  if (owner !== undefined) {
    refuse(step, record, id, { event: 'device_claimed_twice', node: record.node, owner });
    keepClaim(step, record, described);
    return false;
  }
  if (node.deviceIds.includes(id)) return true;
  if (node.deviceIds.length >= MAX_DEVICES_PER_NODE) {
    refuse(step, record, id, { event: 'too_many_devices', node: record.node, limit: MAX_DEVICES_PER_NODE });
    return false;
  }
  takeOver(step, node, id);
  return true;
}

function refuse(
  step: Step,
  record: HelloRecord,
  gpu: string,
  detail: { event: string; [key: string]: string | number },
): void {
  emit(step, 'ANOMALY', { gpu, eventUs: step.ctx.nowUs, injected: record.testBuild }, detail);
}

function takeOver(step: Step, node: NodeState, id: string): void {
  const known = deviceOf(step.draft, id);
  if (known === undefined) putDevice(step.draft, newDevice(id, node, step.ctx.nowUs));
  else {
    const former = editNode(step.draft, known.node);
    former.deviceIds = former.deviceIds.filter((entry) => entry !== id);
  }
  node.deviceIds.push(id);
}

/** The devices that a hello names and the node was given. */
export function welcome(step: Step, record: HelloRecord, taken: readonly HelloDevice[]): void {
  for (const described of taken) noteReplacement(step, record, described);
  for (const described of taken) greetDevice(step, record, described);
}

function greetDevice(step: Step, record: HelloRecord, described: HelloDevice): void {
  const device = editDevice(step.draft, described.id);
  describeDevice(device, record, described);
  endUselessDeepTest(step, device);
  const unfinished = device.directives.filter((directive) => directive.status === 'open');
  for (const directive of unfinished) directive.agentDoneUs = null;
  testNewBuild(step, device);
  review(step, device.id);
  for (const directive of unfinished) sendDirective(step, device, directive);
}

/** A test build cannot speak for a device, so the test that waits for it is over; the next ordinary build gets a new one. */
function endUselessDeepTest(step: Step, device: DeviceState): void {
  const directive = openDeepTestOf(device);
  if (directive === undefined || !device.testBuild) return;
  endDeepTest(step, device, directive, 'A test build took over, which cannot clear a device.', step.ctx.nowUs);
}
