import { isGoldenBroken } from '../canary/broken-golden.js';
import { deviceOf, editDevice } from '../evidence/draft.js';
import { isTrustworthy } from '../evidence/fold-batch.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { DirectiveState } from '../evidence/model/orders.js';
import { isRepetition, RunKind } from '../evidence/model/terms.js';
import type { UnitName, UnitState } from '../evidence/model/unit.js';
import { binOf } from '../evidence/posterior/bins.js';
import { ranIn, ranOnSm } from '../evidence/ran.js';
import { type BatchRecord, contextOf, directiveIdOf, type Mismatch } from '../evidence/record.js';
import type { Step } from '../evidence/step.js';
import { noteCleanExecutions } from '../patterns/signals.js';
import { beginDirective, countClean } from './add-clean.js';
import { countInDeepTest } from './deep-test-count.js';
import { scheduleReview } from './schedule-review.js';
import { takeMismatch } from './take-mismatch.js';

/** One run of a known device that something hangs on. */
export interface Row {
  record: BatchRecord;
  row: number;
  deviceId: string;
  /** Event time. */
  timeUs: number;
  mismatches: readonly Mismatch[];
  /** Event time of the first run of this family in the batch. */
  firstRunUs: number;
}

/** What failed, what ran cleanly, and how far the directive is that asked for it. */
export function takeRow(step: Step, at: Row): void {
  const directiveId = openDirectiveOf(deviceOf(step.draft, at.deviceId), at)?.id;
  if (directiveId !== undefined) noteStart(step, at);
  takeMismatches(step, at);
  noteClean(step, at);
  if (directiveId !== undefined) noteProgress(step, at);
}

function takeMismatches(step: Step, { mismatches, deviceId, record, timeUs, firstRunUs }: Row): void {
  const alike = new Map<number, number>();
  for (const { actualDigest } of mismatches) alike.set(actualDigest, (alike.get(actualDigest) ?? 0) + 1);
  for (const mismatch of mismatches) {
    const same = { failed: mismatches.length, sameDigest: alike.get(mismatch.actualDigest) ?? 1 };
    takeMismatch(step, { deviceId, record, mismatch, timeUs, firstRunUs, same });
  }
}

/** The open directive that asked for this run. */
function openDirectiveOf(device: DeviceState | undefined, at: Row): DirectiveState | undefined {
  const id = directiveIdOf(at.record.batch, at.row);
  if (id === undefined) return undefined;
  return device?.directives.find((directive) => directive.id === id && directive.status === 'open');
}

function noteStart(step: Step, at: Row): void {
  if ((at.record.batch.smsRun[at.row] ?? 0) === 0) return;
  const device = editDevice(step.draft, at.deviceId);
  const directive = openDirectiveOf(device, at);
  if (directive === undefined) return;
  beginDirective(step, device, directive, at.timeUs);
}

/** What ran without a mismatch: coverage, the family's first clean run, and the clean executions of units that failed before. */
function noteClean(step: Step, at: Row): void {
  const { batch } = at.record;
  const before = deviceOf(step.draft, at.deviceId);
  if (before === undefined) return;
  const family = batch.family[at.row] ?? 0;
  const warming = before.families.find((entry) => entry.family === family);
  const covered = (warming?.uncoveredSms ?? []).filter((sm) => ranOnSm(batch, at.row, before.sms, sm));
  const trusted = isBelieved(step, at) && (batch.smsRun[at.row] ?? 0) > 0;
  const firstClean = trusted && at.mismatches.length === 0 && warming?.firstCleanUs === null;
  const isClean = ranCleanly(at, before);
  const failed = at.mismatches.filter(({ sm }) => ranOnSm(batch, at.row, before.sms, sm)).length;
  const someRanCleanly = (batch.smsRun[at.row] ?? 0) > failed;
  const cleaner = trusted && someRanCleanly ? before.units.findIndex(isClean) : -1;
  if (covered.length === 0 && !firstClean && cleaner < 0) return;
  const device = editDevice(step.draft, at.deviceId);
  const state = device.families.find((entry) => entry.family === family);
  if (state !== undefined) {
    state.uncoveredSms = state.uncoveredSms.filter((sm) => !covered.includes(sm));
    if (firstClean) {
      state.firstCleanUs = at.timeUs;
      scheduleReview(step);
    }
  }
  if (cleaner >= 0) device.units = countCleanUnits(at, device, cleaner, isClean);
}

/** @param first place of the first unit that ran cleanly */
function countCleanUnits(
  at: Row,
  device: DeviceState,
  first: number,
  isClean: (unit: UnitName) => boolean,
): readonly UnitState[] {
  const { batch } = at.record;
  const bin = binOf(contextOf(batch, at.row));
  const again = isRepetition(batch.kind[at.row] ?? 0);
  let count = 0;
  const counted = (unit: UnitState): UnitState => {
    count += 1;
    const now = countClean(device, unit, 1, bin);
    return again ? now : { ...now, consecutive: 0 };
  };
  const only = batch.smsRun[at.row] === 1 ? device.units[first] : undefined;
  const units =
    only === undefined
      ? device.units.map((unit) => (isClean(unit) ? counted(unit) : unit))
      : device.units.with(first, counted(only));
  noteCleanExecutions(device, count, bin);
  return units;
}

/** What it was compared with was right, as far as its agent and the other nodes know. */
function isBelieved(step: Step, { record, row }: Row): boolean {
  const { flags, family } = record.batch;
  return isTrustworthy(flags[row] ?? 0) && !isGoldenBroken(step.draft, record.node, family[row] ?? 0);
}

/** Which units ran in the row, to a PASS. */
function ranCleanly({ record: { batch }, row, mismatches }: Row, { sms }: DeviceState): (unit: UnitName) => boolean {
  const ran = ranIn(batch, row, sms);
  const failed = new Set(mismatches.map(({ sm }) => sm));
  return ({ family, sm }) => batch.family[row] === family && !failed.has(sm) && ran(sm);
}

/** A mismatch may have ended the directive. */
function noteProgress(step: Step, at: Row): void {
  const device = editDevice(step.draft, at.deviceId);
  const directive = openDirectiveOf(device, at);
  if (directive === undefined) return;
  directive.failures += failuresOf(at, directive);
  if (executed(at, device, directive)) directive.done += 1;
  if (directive.kind === 'deep-test') noteDeepTest(step, at, device, directive);
}

function failuresOf(at: Row, { kind, family, sm }: DirectiveState): number {
  if (kind === 'deep-test') return at.mismatches.length;
  if (at.record.batch.family[at.row] !== family) return 0;
  return at.mismatches.filter((mismatch) => mismatch.sm === sm).length;
}

/** Did the run execute what was ordered? A deep test orders many units, whose own counts decide. */
function executed(at: Row, device: DeviceState, { kind, family, sm }: DirectiveState): boolean {
  const { batch } = at.record;
  if (kind === 'deep-test') return (batch.smsRun[at.row] ?? 0) > 0;
  return batch.family[at.row] === family && ranOnSm(batch, at.row, device.sms, sm);
}

/** Only a build without fault injection, a trustworthy golden and a run that was ordered can speak for a quarantined unit. */
function noteDeepTest(step: Step, at: Row, device: DeviceState, directive: DirectiveState): void {
  const { batch } = at.record;
  const speaks = batch.kind[at.row] === RunKind.DEEP_TEST && !at.record.testBuild && isBelieved(step, at);
  if (!speaks) return;
  if (directive.unitsCleanUs !== null) {
    if (at.mismatches.length === 0) directive.sweepClean += batch.smsRun[at.row] ?? 0;
    return;
  }
  const bin = binOf(contextOf(batch, at.row));
  const isClean = ranCleanly(at, device);
  device.units = device.units.map((unit) => (isClean(unit) ? countInDeepTest(unit, 1, bin) : unit));
}
