import { planCanaries } from '../canary/open.js';
import { deviceOf, editDevice, editNode, nodeOf, putDevice } from '../evidence/draft.js';
import { clockOffsetUs } from '../evidence/event-time.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { NodeState } from '../evidence/model/node.js';
import type { HelloDevice, HelloRecord } from '../evidence/record.js';
import { conflictingOwner, describeDevice, MAX_DEVICES_PER_NODE, newDevice } from '../evidence/register.js';
import { emit, type Step } from '../evidence/step.js';
import { endDeepTest } from './deep-test.js';
import { openDeepTestOf, sendDirective } from './directives.js';
import { noteReplacement } from './replacement.js';
import { review } from './review.js';
import { testNewBuild } from './schedule-deep-test.js';
import { scheduleReview } from './schedule-review.js';

/** Devices named in the ledger entry of a registration; the rest are counted. */
const MAX_DEVICES_IN_DETAIL = 32;

/** A node is here: its devices are registered, its unfinished directives repeated, and a new build may start a deep test. */
export function applyHello(step: Step, record: HelloRecord): void {
  const before = snapshot(nodeOf(step.draft, record.node));
  const node = registerNode(step, record, before);
  const taken = record.devices.filter((described) => admit(step, node, record, described));
  for (const described of taken) noteReplacement(step, record, described);
  for (const described of taken) greetDevice(step, record, described);
  for (const id of node.deviceIds) if (!taken.some((described) => described.id === id)) unannounce(step, id);
  if (isNews(before, record, taken)) announce(step, record, taken);
  scheduleReview(step);
  planCanaries(step);
}

/** The draft's own copy of a node is about to change. */
function snapshot(node: NodeState | undefined): NodeState | undefined {
  return node === undefined ? undefined : { ...node, deviceIds: [...node.deviceIds] };
}

function registerNode(step: Step, record: HelloRecord, before: NodeState | undefined): NodeState {
  const { nowUs } = step.ctx;
  if (before === undefined) step.draft.nodes.set(record.node, newNode(record, nowUs));
  const node = editNode(step.draft, record.node);
  node.buildId = record.buildId;
  node.testBuild = record.testBuild;
  node.identity = record.identity;
  node.connected = true;
  node.offsetUs = clockOffsetUs(nowUs, record.agentTimeUs);
  return node;
}

function newNode(record: HelloRecord, nowUs: number): NodeState {
  const { node, buildId, testBuild, identity } = record;
  return {
    node,
    buildId,
    testBuild,
    identity,
    connected: true,
    offsetUs: 0,
    lastEventUs: 0,
    registeredUs: nowUs,
    deviceIds: [],
  };
}

/** Makes the device one of this node's, unless it belongs to another that is still there. */
function admit(step: Step, node: NodeState, record: HelloRecord, described: HelloDevice): boolean {
  const { id } = described;
  const owner = conflictingOwner(step.draft, record, id);
  if (owner !== undefined) {
    refuse(step, record, id, { event: 'device_claimed_twice', node: record.node, owner });
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

function unannounce(step: Step, id: string): void {
  if (deviceOf(step.draft, id)?.announced === true) editDevice(step.draft, id).announced = false;
}

/** A reconnect of the same agent is no news for the ledger. */
function isNews(before: NodeState | undefined, record: HelloRecord, taken: readonly HelloDevice[]): boolean {
  if (before === undefined || before.buildId !== record.buildId || before.testBuild !== record.testBuild) return true;
  return before.identity !== record.identity || taken.some((described) => !before.deviceIds.includes(described.id));
}

function announce(step: Step, record: HelloRecord, taken: readonly HelloDevice[]): void {
  emit(
    step,
    'SYSTEM',
    { gpu: '', eventUs: step.ctx.nowUs, injected: record.testBuild },
    {
      event: 'agent_registered',
      node: record.node,
      identity: record.identity,
      build_id: record.buildId,
      test_build: record.testBuild,
      devices: taken.slice(0, MAX_DEVICES_IN_DETAIL).map((described) => described.id),
      device_count: taken.length,
    },
  );
}
