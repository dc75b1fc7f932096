import { noteGolden } from '../canary/broken-golden.js';
import { NO_ROOM } from '../canary/goldens.js';
import { type Draft, deviceOf, editNode, goldensOf, nodeOf } from './draft.js';
import { eventTimeUs, type NodeClock } from './event-time.js';
import type { DeviceState } from './model/device.js';
import type { NodeState } from './model/node.js';
import { RunFlag, RunKind } from './model/terms.js';
import type { FamilyState } from './model/unit.js';
import type { BatchRecord, RunColumns } from './record.js';
import { adoptDevice } from './register.js';
import { needsAttention } from './state.js';
import { forget, type Step } from './step.js';

/** Runs of one (device, family) in one batch. */
export interface Slot {
  deviceId: string;
  /** null = the sender does not own this device: its rows are ignored, and counted as that. */
  device: DeviceState | null;
  family: number;
  runs: number;
  executions: number;
  failures: number;
  notRun: number;
  /** Most SMs in one run. */
  mostSms: number;
  /** Event times of its oldest and newest run. */
  firstRunUs: number;
  lastRunUs: number;
  /** Something hangs on its single rows: coverage, the first clean run, a pending suspicion, a directive. */
  attentive: boolean;
  /** Of its goldens; '' = they are compared with nobody's. */
  cohort: string;
}

export interface FoldedBatch {
  slots: Slot[];
  /** The node's clock as it was before the batch, and the batch's base on the agent's clock. */
  clock: NodeClock;
  baseUs: number;
}

/**
 * The pass over all runs of a batch: counters only. This is all that a clean batch of a healthy device costs, so it touches
 * columns alone and allocates per (device, family), never per run.
 */
export function foldBatch(step: Step, record: BatchRecord): FoldedBatch | undefined {
  const node = nodeOf(step.draft, record.node);
  if (node === undefined) return undefined;
  const clock = { lastEventUs: node.lastEventUs, offsetUs: node.offsetUs };
  const { batch } = record;
  const baseUs = Number(batch.baseTimeUs);
  const { nowUs } = step.ctx;
  const slots: Slot[] = [];
  let slot: Slot | undefined;
  let slotIndex = -1;
  for (let row = 0; row < batch.family.length; row += 1) {
    const index = batch.deviceIndex[row] as number;
    const family = batch.family[row] as number;
    if (slot === undefined || index !== slotIndex || slot.family !== family) {
      slot = slotOf(step.draft, slots, record, batch.deviceIds[index] as string, family);
      slotIndex = index;
    }
    const run = batch.smsRun[row] as number;
    slot.runs += 1;
    slot.executions += run;
    if (run > slot.mostSms) slot.mostSms = run;
    slot.notRun += (batch.smsPlanned[row] as number) - run;
    const timeUs = eventTimeUs(clock, baseUs + (batch.startOffsetUs[row] as number), nowUs);
    if (batch.kind[row] === RunKind.SCHEDULED && batch.index[row] === 0 && slot.cohort !== '')
      compareGolden(step, record, row, slot);
    if (timeUs < slot.firstRunUs) slot.firstRunUs = timeUs;
    if (timeUs > slot.lastRunUs) slot.lastRunUs = timeUs;
  }
  noteEventTime(step.draft, node, slots);
  return { slots, clock, baseUs };
}

function slotOf(draft: Draft, slots: Slot[], record: BatchRecord, deviceId: string, family: number): Slot {
  for (const slot of slots) if (slot.family === family && slot.deviceId === deviceId) return slot;
  const known = deviceOf(draft, deviceId) ?? adoptDevice(draft, record.node, deviceId);
  const device = known?.node === record.node ? known : null;
  const described = device?.families.find((entry) => entry.family === family);
  const attentive = device !== null && (needsAttention(device) || isWarmingUp(described));
  const cohort = described?.cohort ?? '';
  const counts = { runs: 0, executions: 0, failures: 0, notRun: 0, mostSms: 0 };
  const slot = {
    deviceId,
    device,
    family,
    ...counts,
    firstRunUs: Number.MAX_SAFE_INTEGER,
    lastRunUs: 0,
    attentive,
    cohort,
  };
  slots.push(slot);
  return slot;
}

/** The shared seed of an epoch: devices of one cohort have the same golden for it. Without two that agreed there is none. */
function compareGolden(step: Step, { node, batch }: BatchRecord, row: number, { cohort, family }: Slot): void {
  const digest = batch.goldenDigest[row] as number;
  if (digest === 0) return;
  const compared = goldensOf(step.draft).take(cohort, batch.epoch[row] as number, digest, node);
  if (compared === NO_ROOM) forget(step, 'golden_cohort');
  if (compared.agrees || compared.outvoted.length > 0) noteGolden(step, node, family, compared);
}

function isWarmingUp(family: FamilyState | undefined): boolean {
  return family !== undefined && (family.firstCleanUs === null || family.uncoveredSms.length > 0);
}

function noteEventTime(draft: Draft, node: NodeState, slots: readonly Slot[]): void {
  let last = node.lastEventUs;
  for (const slot of slots) if (slot.lastRunUs > last) last = slot.lastRunUs;
  if (last > node.lastEventUs) editNode(draft, node.node).lastEventUs = last;
}

/** Event time of one row. */
export function rowTimeUs(step: Step, folded: FoldedBatch, batch: RunColumns, row: number): number {
  return eventTimeUs(folded.clock, folded.baseUs + (batch.startOffsetUs[row] ?? 0), step.ctx.nowUs);
}

/** The golden was intact and agreed and no loud fault fell into the run: what passed, passed. */
export function isTrustworthy(flags: number): boolean {
  return (
    (flags & (RunFlag.GOLDEN_INTACT | RunFlag.GOLDEN_AGREED | RunFlag.LOUD_FAULT)) ===
    (RunFlag.GOLDEN_INTACT | RunFlag.GOLDEN_AGREED)
  );
}
