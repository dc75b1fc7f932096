import { takeAnswers } from '../canary/answer.js';
import { isGoldenBroken } from '../canary/broken-golden.js';
import type { CounterIncrement } from '../evidence/effects.js';
import { addExposure } from '../evidence/exposure.js';
import { type FoldedBatch, foldBatch, rowTimeUs, type Slot } from '../evidence/fold-batch.js';
import type { BatchRecord, Mismatch } from '../evidence/record.js';
import type { Step } from '../evidence/step.js';
import { closeCanary } from './close-canary.js';
import { noteCoverage } from './coverage.js';
import { reviewAfterRuns } from './held-review.js';
import { takeRow } from './take-row.js';

type MismatchesByRow = ReadonlyMap<number, readonly Mismatch[]>;

/** One batch: counters for all of it; single rows only where a mismatch or something pending asks for them. */
export function applyBatch(step: Step, record: BatchRecord): void {
  const { batch } = record;
  const folded = foldBatch(step, record);
  if (folded === undefined) {
    ignore(step, record, '', batch.family.length, batch.mismatches.length);
    return;
  }
  const byRow = Map.groupBy(batch.mismatches, (mismatch) => mismatch.run);
  const touched = takeRows(step, record, folded, byRow);
  report(step, record, folded, byRow);
  for (const id of touched) reviewAfterRuns(step, id);
  if ((batch.canaries?.length ?? 0) === 0) return;
  for (const id of takeAnswers(step, record, (row) => rowTimeUs(step, folded, batch, row))) closeCanary(step, id);
}

/** Returns the devices that a row said something about, in a stable order. */
function takeRows(step: Step, record: BatchRecord, folded: FoldedBatch, byRow: MismatchesByRow): string[] {
  const { batch } = record;
  const touched = new Set<string>();
  if (byRow.size === 0 && !folded.slots.some((slot) => slot.attentive)) return [];
  for (let row = 0; row < batch.family.length; row += 1) {
    const slot = slotOfRow(folded, record, row);
    const mismatches = byRow.get(row) ?? [];
    if (slot === undefined || slot.device === null || (!slot.attentive && mismatches.length === 0)) continue;
    const { deviceId } = slot;
    const timeUs = rowTimeUs(step, folded, batch, row);
    takeRow(step, { record, row, deviceId, timeUs, mismatches, firstRunUs: slot.firstRunUs });
    if (mismatches.length > 0) attendTo(folded, deviceId);
    touched.add(deviceId);
  }
  return [...touched].sort();
}

function report(step: Step, record: BatchRecord, folded: FoldedBatch, byRow: MismatchesByRow): void {
  for (const [row, mismatches] of byRow) {
    const slot = slotOfRow(folded, record, row);
    if (slot !== undefined) slot.failures += mismatches.length;
  }
  for (const slot of folded.slots) {
    if (isGoldenBroken(step.draft, record.node, slot.family)) discardPasses(slot);
    const { deviceId, family, runs, executions, failures, notRun, firstRunUs, lastRunUs } = slot;
    if (slot.device === null) {
      ignore(step, record, deviceId, runs, failures);
      continue;
    }
    const increment = { deviceId, family, runs, executions, failures, notRun, firstRunUs, lastRunUs };
    count(step, increment);
    noteCoverage(step, record.node, increment, slot.mostSms, record.testBuild);
  }
}

/** Compared with a wrong golden, a pass is none. */
function discardPasses(slot: Slot): void {
  slot.notRun += slot.executions - slot.failures;
  slot.executions = slot.failures;
}

/** Counts what ran. */
export function count(step: Step, increment: CounterIncrement): void {
  step.effects.counters.push(increment);
  addExposure(step.draft, increment);
}

function ignore(step: Step, record: BatchRecord, deviceId: string, rows: number, mismatches: number): void {
  step.effects.ignored.push({ node: record.node, deviceId, rows, mismatches });
}

function slotOfRow(folded: FoldedBatch, record: BatchRecord, row: number): Slot | undefined {
  const { batch } = record;
  const deviceId = batch.deviceIds[batch.deviceIndex[row] ?? 0];
  const family = batch.family[row];
  return folded.slots.find((slot) => slot.family === family && slot.deviceId === deviceId);
}

/** The device may be a suspect now, so its later rows matter one by one. */
function attendTo(folded: FoldedBatch, deviceId: string): void {
  for (const slot of folded.slots) if (slot.deviceId === deviceId) slot.attentive = true;
}
