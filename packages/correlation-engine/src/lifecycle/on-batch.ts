import { deviceOf, editDevice } from '../evidence/draft.js';
import type { FoldedBatch, Slot } from '../evidence/fold-batch.js';
import { foldBatch, isTrustworthy, rowTimeUs } from '../evidence/fold-batch.js';
import { type DeviceState, type DirectiveState, RunKind } from '../evidence/model.js';
import { ranOnSm } from '../evidence/ran.js';
import { type BatchRecord, directiveIdOf, type Mismatch } from '../evidence/record.js';
import type { Step } from '../evidence/step.js';
import { beginDeepTest } from './deep-test.js';
import { review } from './review.js';
import { scheduleReview } from './schedule-review.js';
import { takeMismatch } from './take-mismatch.js';

/** One batch: counters for all of it; single rows only where a mismatch or something pending asks for them. */
export function applyBatch(step: Step, record: BatchRecord): void {
  const { batch } = record;
  const folded = foldBatch(step, record);
  if (folded === undefined) {
    ignore(step, record, '', batch.family.length, batch.mismatches.length);
    return;
  }
  const byRow = batch.mismatches.length === 0 ? undefined : groupByRow(batch.mismatches);
  const touched = new Set<string>();
  if (byRow !== undefined || folded.slots.some((slot) => slot.attentive)) {
    for (let row = 0; row < batch.family.length; row += 1) {
      const slot = slotOfRow(folded, record, row);
      const mismatches = byRow?.get(row) ?? [];
      if (slot.device === null || (!slot.attentive && mismatches.length === 0)) continue;
      applyRow(step, { record, row, timeUs: rowTimeUs(step, folded, batch, row), mismatches }, slot, folded);
      touched.add(slot.deviceId);
    }
  }
  report(step, record, folded, byRow);
  for (const id of [...touched].sort()) if (needsReview(step, id)) review(step, id);
}

function needsReview(step: Step, id: string): boolean {
  const device = deviceOf(step.draft, id);
  return (
    device !== undefined &&
    (device.state !== 'HEALTHY' || device.directives.some((directive) => directive.status === 'open'))
  );
}

function report(
  step: Step,
  record: BatchRecord,
  folded: FoldedBatch,
  byRow: Map<number, Mismatch[]> | undefined,
): void {
  for (const [row, mismatches] of byRow ?? []) slotOfRow(folded, record, row).failures += mismatches.length;
  for (const slot of folded.slots) {
    const { deviceId, family, runs, executions, failures, notRun, lastRunUs } = slot;
    if (slot.device === null) ignore(step, record, deviceId, runs, failures);
    else step.effects.counters.push({ deviceId, family, runs, executions, failures, notRun, lastRunUs });
  }
}

function ignore(step: Step, record: BatchRecord, deviceId: string, rows: number, mismatches: number): void {
  step.effects.ignored.push({ node: record.node, deviceId, rows, mismatches });
}

function slotOfRow(folded: FoldedBatch, record: BatchRecord, row: number): Slot {
  const { batch } = record;
  const deviceId = batch.deviceIds[batch.deviceIndex[row] as number];
  const family = batch.family[row];
  return folded.slots.find((slot) => slot.family === family && slot.deviceId === deviceId) as Slot;
}

function groupByRow(mismatches: readonly Mismatch[]): Map<number, Mismatch[]> {
  const byRow = new Map<number, Mismatch[]>();
  for (const mismatch of mismatches) {
    const row = byRow.get(mismatch.run);
    if (row === undefined) byRow.set(mismatch.run, [mismatch]);
    else row.push(mismatch);
  }
  return byRow;
}

interface Row {
  record: BatchRecord;
  row: number;
  timeUs: number;
  mismatches: readonly Mismatch[];
}

function applyRow(step: Step, at: Row, slot: Slot, folded: FoldedBatch): void {
  const { batch } = at.record;
  const before = deviceOf(step.draft, slot.deviceId) as DeviceState;
  const directive = directiveOf(before, at);
  if (directive?.kind === 'deep-test' && (batch.smsRun[at.row] ?? 0) > 0) {
    const device = editDevice(step.draft, slot.deviceId);
    beginDeepTest(step, device, ownDirective(device, directive), at.timeUs);
  }
  for (const mismatch of at.mismatches) takeMismatch(step, slot.deviceId, at.record, mismatch, at.timeUs);
  if (at.mismatches.length > 0)
    for (const other of folded.slots) if (other.deviceId === slot.deviceId) other.attentive = true;
  noteClean(step, at, slot.deviceId);
  if (directive !== undefined) noteProgress(step, at, slot.deviceId, directive.id);
}

/** The open directive that asked for this run. */
function directiveOf(device: DeviceState, at: Row): DirectiveState | undefined {
  const id = directiveIdOf(at.record.batch, at.row);
  if (id === undefined) return undefined;
  return device.directives.find((directive) => directive.id === id && directive.status === 'open');
}

function ownDirective(device: DeviceState, directive: DirectiveState): DirectiveState {
  return device.directives.find((entry) => entry.id === directive.id) as DirectiveState;
}

/** What ran without a mismatch: coverage, the family's first clean run, and the clean executions of suspected units. */
function noteClean(step: Step, at: Row, deviceId: string): void {
  const { batch } = at.record;
  const before = deviceOf(step.draft, deviceId) as DeviceState;
  const family = batch.family[at.row] ?? 0;
  const warming = before.families.find((entry) => entry.family === family);
  const covered = (warming?.uncoveredSms ?? []).filter((sm) => ranOnSm(batch, at.row, before.sms, sm));
  const trusted = isTrustworthy(batch.flags[at.row] ?? 0) && (batch.smsRun[at.row] ?? 0) > 0;
  const firstClean = trusted && at.mismatches.length === 0 && warming?.firstCleanUs === null;
  const suspected = trusted && before.state === 'SUSPECT' && before.units.some((unit) => ranCleanly(at, before, unit));
  if (covered.length === 0 && !firstClean && !suspected) return;
  const device = editDevice(step.draft, deviceId);
  const state = device.families.find((entry) => entry.family === family);
  if (state !== undefined) {
    state.uncoveredSms = state.uncoveredSms.filter((sm) => !covered.includes(sm));
    if (firstClean) {
      state.firstCleanUs = at.timeUs;
      scheduleReview(step);
    }
  }
  if (suspected) for (const unit of device.units) if (ranCleanly(at, device, unit)) unit.clean += 1;
}

function ranCleanly(at: Row, device: DeviceState, unit: { family: number; sm: number }): boolean {
  const { batch } = at.record;
  if (batch.family[at.row] !== unit.family || at.mismatches.some((mismatch) => mismatch.sm === unit.sm)) return false;
  return ranOnSm(batch, at.row, device.sms, unit.sm);
}

function noteProgress(step: Step, at: Row, deviceId: string, directiveId: string): void {
  const device = editDevice(step.draft, deviceId);
  const directive = device.directives.find((entry) => entry.id === directiveId);
  if (directive?.status !== 'open') return;
  const { batch } = at.record;
  const run = batch.smsRun[at.row] ?? 0;
  directive.failures += at.mismatches.length;
  directive.done +=
    directive.kind === 'deep-test' || ranOnSm(batch, at.row, device.sms, directive.sm) ? Math.min(run, 1) : 0;
  if (run > 0) directive.startedUs ??= at.timeUs;
  if (directive.kind === 'deep-test') noteDeepTest(at, device, directive);
}

/** Only a build without fault injection, a trustworthy golden and a run that was ordered can speak for a quarantined unit. */
function noteDeepTest(at: Row, device: DeviceState, directive: DirectiveState): void {
  const { batch } = at.record;
  const speaks =
    batch.kind[at.row] === RunKind.DEEP_TEST && !at.record.testBuild && isTrustworthy(batch.flags[at.row] ?? 0);
  if (!speaks) return;
  if (directive.unitsCleanUs !== null) {
    if (at.mismatches.length === 0) directive.sweepClean += batch.smsRun[at.row] ?? 0;
    return;
  }
  for (const unit of device.units) if (ranCleanly(at, device, unit)) unit.deepTestClean += 1;
}
