import { isGoldenBroken } from '../canary/broken-golden.js';
import { canaryOfDirective } from '../canary/facts.js';
import { canariesOf, configOf, type Draft } from './draft.js';
import type { ObservationEffect } from './effects.js';
import { integrityGate } from './gates/integrity.js';
import { type LocalityAnswer, localityGate, type SameRun } from './gates/locality.js';
import { type GateAnswer, gateOutcome, REMOVED } from './gates/outcome.js';
import type { DeviceState } from './model/device.js';
import { type Family, type GateName, type GateOutcome, isRepetition, RunKind } from './model/terms.js';
import type { UnitState } from './model/unit.js';
import { unitBeliefs } from './posterior/beliefs.js';
import type { Bin } from './posterior/bins.js';
import { neverFailed } from './posterior/recursion.js';
import { failed, firstFailure } from './posterior/unit.js';
import { ranOnSm } from './ran.js';
import { type BatchRecord, directiveIdOf, type Mismatch, type RunColumns } from './record.js';
import type { Step } from './step.js';
import { totalsOf } from './unit-totals.js';

/** A mismatch after gates 1 and 2: what is recorded of it, and what it is evidence of. */
export interface Observed {
  effect: ObservationEffect;
  /** Gate 1 held it: evidence of nothing. */
  believed: boolean;
  /** It makes the device SUSPECT and asks for a burst. */
  suspicious: boolean;
  accusesUnit: boolean;
  /** A canary, or a comparison in a job, that the device lost as a whole; absent = the SM that is named failed itself. */
  ofWholeDevice?: true;
  gates: [GateOutcome, GateOutcome];
}

/** Puts a mismatch through gates 1 and 2. Changes nothing. `same` = what its run shows of the other SMs. */
export function observe(
  step: Step,
  device: DeviceState,
  record: BatchRecord,
  mismatch: Mismatch,
  timeUs: number,
  same: SameRun,
): Observed {
  const { batch } = record;
  const row = mismatch.run;
  const integrity =
    notRun(device, batch, mismatch) ??
    overflow(device, batch.family[row] ?? 0, mismatch.sm) ??
    (step.gates.has('integrity')
      ? (goldenOutvoted(step.draft, record, batch.family[row] ?? 0) ??
        integrityGate(mismatch, batch.flags[row] ?? 0, batch.goldenDigest[row] ?? 0))
      : REMOVED);
  const locality: LocalityAnswer = step.gates.has('locality')
    ? localityGate(mismatch, configOf(step.draft).gates, same)
    : { ...REMOVED, locality: 'unit' };
  const held = heldBy(integrity.verdict === 'PASS', locality);
  const answer = held === null && isAnswer(step.draft, device, batch, mismatch);
  const believed = integrity.verdict === 'PASS';
  return {
    effect: {
      ...identity(step, device, record, mismatch, timeUs),
      ...copyOf(mismatch),
      counted: held === null,
      answer,
      heldBy: held,
    },
    believed,
    suspicious: believed && locality.locality !== 'software',
    accusesUnit: locality.locality === 'unit',
    gates: [gateOutcome('integrity', integrity, step.ctx.nowUs), gateOutcome('locality', locality, step.ctx.nowUs)],
  };
}

/**
 * Only runs that the engine ordered because of an earlier observation are answers to it, on the unit that it named. The agent's
 * own rerun and sibling runs are not, nor are canaries that others were not asked for because of it, nor is what an old spool still holds of a burst from before the device was cleared.
 */
function isAnswer(draft: Draft, device: DeviceState, batch: RunColumns, { run: row, sm }: Mismatch): boolean {
  const kind = batch.kind[row];
  if (kind === RunKind.CANARY)
    return canaryOfDirective(canariesOf(draft), directiveIdOf(batch, row))?.suspect === device.id;
  if (kind !== RunKind.BURST && kind !== RunKind.FOLLOW_UP) return false;
  const firstUs = device.firstObservationUs;
  if (firstUs === null || totalsOf(device.units).counted === 0) return false;
  const id = directiveIdOf(batch, row);
  const asked = device.directives.find((directive) => directive.id === id);
  return asked?.family === batch.family[row] && asked?.sm === sm && asked.createdUs >= firstUs;
}

/** An SM that the device lacks, or that did not run, is not accused: the devices changed while a spool waited, or the agent errs. */
function notRun(device: DeviceState, batch: RunColumns, { run, sm, siblingsRun }: Mismatch): GateAnswer | undefined {
  // Nothing is known yet of a device that no hello named.
  if (!device.announced) return undefined;
  if (siblingsRun >= device.sms.length) {
    const reason = `The agent counts ${siblingsRun} other SMs that ran the seed, and the device has ${device.sms.length} SMs.`;
    return { verdict: 'HOLD', reason, inputs: { sm: 'unknown' } };
  }
  if (ranOnSm(batch, run, device.sms, sm)) return undefined;
  const known = device.sms.includes(sm);
  const reason = known ? `SM ${sm} did not take part in this run.` : `The device has no SM ${sm}.`;
  return { verdict: 'HOLD', reason, inputs: { sm: known ? 'did not run' : 'unknown' } };
}

/** The expected value itself is in doubt. */
function goldenOutvoted(draft: Draft, { node }: BatchRecord, family: Family): GateAnswer | undefined {
  if (!isGoldenBroken(draft, node, family)) return undefined;
  const reason = `The golden of ${node} differs from that of most other nodes for the same seed, so the expected value is wrong.`;
  return { verdict: 'HOLD', reason, inputs: { golden_of_node: 'outvoted by other nodes' } };
}

/** Failing units kept for one device: as many as a device with 128 SMs and 16 families has. */
export const MAX_UNITS = 2048;

/** A sender that invents SMs must not fill the memory. */
function overflow(device: DeviceState, family: number, sm: number): GateAnswer | undefined {
  if (device.units.length < MAX_UNITS || findUnit(device, family, sm) !== undefined) return undefined;
  const reason = `${MAX_UNITS} units of this device failed already; no further one is told apart.`;
  return { verdict: 'HOLD', reason, inputs: { failing_units: String(MAX_UNITS) } };
}

function findUnit(device: DeviceState, family: number, sm: number): UnitState | undefined {
  return device.units.find((unit) => unit.family === family && unit.sm === sm);
}

function heldBy(believed: boolean, locality: LocalityAnswer): GateName | null {
  if (!believed) return 'integrity';
  return locality.verdict === 'PASS' ? null : 'locality';
}

function identity(step: Step, device: DeviceState, record: BatchRecord, mismatch: Mismatch, timeUs: number) {
  const { batch } = record;
  const row = mismatch.run;
  return {
    deviceId: device.id,
    node: record.node,
    spoolId: record.spoolId,
    sequence: record.sequence,
    row,
    commitSeq: step.ctx.commitSeq,
    timeUs,
    family: batch.family[row] ?? 0,
    kind: batch.kind[row] ?? 0,
    epoch: batch.epoch[row] ?? 0,
    index: batch.index[row] ?? 0,
    injected: record.testBuild,
  };
}

function copyOf(mismatch: Mismatch) {
  return {
    sm: mismatch.sm,
    lane: mismatch.lane,
    iteration: mismatch.iteration,
    operands: [...mismatch.operands],
    expected: [...mismatch.expected],
    actual: [...mismatch.actual],
    expectedDigest: mismatch.expectedDigest,
    actualDigest: mismatch.actualDigest,
    mismatchCount: mismatch.mismatchCount,
    siblingsRun: mismatch.siblingsRun,
    siblingsPassed: mismatch.siblingsPassed,
    siblingsSameDigest: mismatch.siblingsSameDigest,
    smStable: mismatch.smStable,
    warp: mismatch.warp,
    subPartition: mismatch.subPartition,
    withinIterations: mismatch.withinIterations,
    address: mismatch.address,
  };
}

/** What a failing execution was made in. */
export interface Circumstances {
  bin: Bin;
  /** Executions of the family on this device before it, over all SMs, or comparisons in its job, and since when they ran. */
  ranBefore: number;
  sinceUs: number;
}

/** Adds a suspicious observation to the unit it was made on, and returns it as it is now. */
export function addToUnit(
  draft: Draft,
  device: DeviceState,
  observed: Observed,
  circumstances: Circumstances,
): UnitState {
  const { effect } = observed;
  const at = device.units.findIndex(({ family, sm }) => family === effect.family && sm === effect.sm);
  const before = device.units[at] ?? newUnit(effect.family, effect.sm, effect.timeUs);
  const { ofWholeDevice: whole, ...others } = before;
  const mark = whole === true && observed.ofWholeDevice === true ? { ofWholeDevice: whole } : {};
  const seen = { ...others, ...mark, lastUs: Math.max(before.lastUs, effect.timeUs), clean: 0 };
  const unit = effect.counted
    ? { ...seen, ...hardObservation(draft, device, seen, observed, circumstances) }
    : { ...seen, unlocated: seen.unlocated + 1 };
  device.units = at < 0 ? [...device.units, unit] : device.units.with(at, unit);
  return unit;
}

function hardObservation(
  draft: Draft,
  device: DeviceState,
  unit: UnitState,
  { effect, accusesUnit, ofWholeDevice }: Observed,
  circumstances: Circumstances,
): Partial<UnitState> {
  const { answer, kind, epoch, index, actualDigest: digest } = effect;
  return {
    counted: unit.counted + 1,
    ...(ofWholeDevice === true && unit.counted === 0 ? { ofWholeDevice } : {}),
    answers: unit.answers + (answer ? 1 : 0),
    ...(accusesUnit ? accusation(draft, device, unit, effect, circumstances) : {}),
    ...(kind === RunKind.SCHEDULED ? { epoch, index, digest } : {}),
  };
}

const HOUR_US = 3_600_000_000;

function accusation(
  draft: Draft,
  device: DeviceState,
  unit: UnitState,
  { timeUs, kind }: ObservationEffect,
  { bin, ranBefore, sinceUs }: Circumstances,
): Partial<UnitState> {
  const accused = unit.accused + 1;
  // Comparisons in a job are too few to say anything by following one another.
  const consecutive = unit.consecutive + (isRepetition(kind) || kind === RunKind.JOB ? 0 : 1);
  const beliefs = unitBeliefs(draft, device, timeUs)(unit);
  const report = { executions: 1, failures: 1, timeUs, bin };
  if (unit.posterior !== null) return { accused, consecutive, posterior: failed(unit.posterior, beliefs, report) };
  const hours = (timeUs - sinceUs) / HOUR_US;
  const ran = kind === RunKind.JOB ? ranBefore : ranBefore / Math.max(1, device.sms.length);
  const before = neverFailed(beliefs.thetas, beliefs.onset, ran, hours);
  return { accused, consecutive, posterior: firstFailure(before, beliefs, report) };
}

function newUnit(family: Family, sm: number, timeUs: number): UnitState {
  return {
    family,
    sm,
    counted: 0,
    answers: 0,
    accused: 0,
    unlocated: 0,
    excused: 0,
    firstUs: timeUs,
    lastUs: timeUs,
    epoch: 0,
    index: 0,
    digest: 0,
    clean: 0,
    deepTestClean: 0,
    deepTestOther: 0,
    consecutive: 0,
    posterior: null,
    reinstatedUs: null,
  };
}
