import { planCanaries } from '../canary/open.js';
import { deviceOf, editDevice, editNode, nodeOf } from '../evidence/draft.js';
import { clockOffsetUs } from '../evidence/event-time.js';
import type { NodeState } from '../evidence/model/node.js';
import type { HelloDevice, HelloRecord } from '../evidence/record.js';
import { emit, type Step } from '../evidence/step.js';
import { admit, welcome } from './admit.js';
import { forgetClaims, settleClaims } from './claims.js';
import { scheduleReview } from './schedule-review.js';

/** Devices named in the ledger entry of a registration; the rest are counted. */
const MAX_DEVICES_IN_DETAIL = 32;

/** A node is here: its devices are registered, its unfinished directives repeated, and a new build may start a deep test. */
export function applyHello(step: Step, record: HelloRecord): void {
  const before = snapshot(nodeOf(step.draft, record.node));
  const node = registerNode(step, record, before);
  forgetClaims(step, record.node);
  const taken = record.devices.filter((described) => admit(step, node, record, described));
  welcome(step, record, taken);
  const named = new Set(taken.map(({ id }) => id));
  const gone = node.deviceIds.filter((id) => !named.has(id));
  for (const id of gone) unannounce(step, id);
  settleClaims(step, gone);
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
