import { type Draft, editDevice } from '../evidence/draft.js';
import type { ObservationEffect } from '../evidence/effects.js';
import { exposureOf } from '../evidence/exposure.js';
import { familyName } from '../evidence/families.js';
import type { SameRun } from '../evidence/gates/locality.js';
import { noteFailingNode } from '../evidence/incidents.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { DirectiveState } from '../evidence/model/orders.js';
import { RunKind } from '../evidence/model/terms.js';
import { type Circumstances, type Observed, observe } from '../evidence/observe.js';
import { binOf } from '../evidence/posterior/bins.js';
import { confirm } from '../evidence/posterior/shrinkage.js';
import { executionsBefore } from '../evidence/ran.js';
import { type BatchRecord, contextOf, directiveIdOf, type Mismatch } from '../evidence/record.js';
import { emit, type Step } from '../evidence/step.js';
import { noteFailure } from '../patterns/signals.js';
import { extendDeepTest, failDeepTest } from './deep-test.js';
import { openDeepTestOf } from './directives.js';
import { describe, suspect } from './suspect.js';
import { isToldInFull } from './tell-mismatches.js';

/** One failing (run, SM) of a batch. */
export interface Failing {
  deviceId: string;
  record: BatchRecord;
  mismatch: Mismatch;
  /** Event times of the run, and of the first run of its family in the batch. */
  timeUs: number;
  firstRunUs: number;
  /** What its run shows of the other SMs. */
  same: SameRun;
}

/** One failing (run, SM): recorded always; through gates 1 and 2 it is evidence, makes SUSPECT and asks for a burst. */
export function takeMismatch(step: Step, failing: Failing): void {
  const { deviceId, record, mismatch, timeUs, same } = failing;
  const device = editDevice(step.draft, deviceId);
  const observed = observe(step, device, record, mismatch, timeUs, same);
  // Once a device is out of service its gates stay those of that decision.
  if (device.state === 'HEALTHY' || device.state === 'SUSPECT')
    device.gates = [...observed.gates, ...device.gates.slice(2)];
  if (observed.suspicious) device.injectedEvidence ||= record.testBuild;
  announce(step, device, record, observed.effect);
  step.effects.observations.push(observed.effect);
  if (!observed.believed) return;
  noteFailingNode(step, device, observed.effect);
  if (observed.suspicious) suspicion(step, device, failing, observed);
  const deepTest = openDeepTestOf(device);
  if (deepTest === undefined) return;
  if (madeDuring(device, deepTest, record, observed.effect)) {
    if (observed.accusesUnit && !record.testBuild) confirm(step.draft, device, [observed.effect]);
    const { counted } = observed.effect;
    const what = `${describe(observed)} computed a wrong result`;
    failDeepTest(step, device, deepTest, { what, counted, timeUs });
  } else if (observed.suspicious) extendDeepTest(step, device, deepTest);
}

function suspicion(step: Step, device: DeviceState, failing: Failing, observed: Observed): void {
  const circumstances = circumstancesOf(step.draft, failing);
  const { sm, kind, timeUs, counted } = observed.effect;
  noteFailure(device, { sm, bin: circumstances.bin, scheduled: kind === RunKind.SCHEDULED, timeUs });
  const why = counted ? 'passed the integrity and locality gates' : 'no other SM could check';
  suspect(step, device, { observed, circumstances, buildId: failing.record.buildId, why });
}

function circumstancesOf(draft: Draft, { deviceId, record, mismatch, firstRunUs }: Failing): Circumstances {
  const { batch } = record;
  const family = batch.family[mismatch.run] ?? 0;
  const ran = exposureOf(draft, deviceId, family);
  return {
    bin: binOf(contextOf(batch, mismatch.run)),
    ranBefore: (ran?.executions ?? 0) + executionsBefore(batch, mismatch.run),
    sinceUs: Math.min(ran?.firstRunUs ?? firstRunUs, firstRunUs),
  };
}

/** A report from before the test, which the spool of the failing build still held, says nothing about the test. */
function madeDuring(
  device: DeviceState,
  deepTest: DirectiveState,
  record: BatchRecord,
  effect: ObservationEffect,
): boolean {
  if (directiveIdOf(record.batch, effect.row) === deepTest.id) return true;
  return record.buildId === device.buildId && effect.timeUs >= deepTest.createdUs;
}

function announce(step: Step, device: DeviceState, record: BatchRecord, effect: ObservationEffect): void {
  if (!isToldInFull(step, device, effect)) return;
  const subject = { gpu: device.id, eventUs: effect.timeUs, injected: effect.injected };
  emit(step, 'PROBE', subject, {
    event: 'mismatch',
    node: effect.node,
    build_id: record.buildId,
    spool_id: effect.spoolId,
    sequence: effect.sequence,
    row: effect.row,
    family: familyName(effect.family),
    sm: effect.sm,
    kind: effect.kind,
    epoch: effect.epoch,
    index: effect.index,
    lane: effect.lane,
    iteration: effect.iteration,
    ...placeOf(effect),
    operands: effect.operands.map(hex),
    expected: effect.expected.map(hex),
    actual: effect.actual.map(hex),
    mismatch_count: effect.mismatchCount,
    counted: effect.counted,
    held_by: effect.heldBy ?? '',
  });
}

/** Where on an SM of a GPU. */
function placeOf({ warp, subPartition, withinIterations, address }: ObservationEffect) {
  if (warp === undefined || subPartition === undefined || withinIterations === undefined) return {};
  const place = { warp, sub_partition: subPartition, within_iterations: withinIterations };
  return address === undefined ? place : { ...place, address };
}

function hex(word: number): string {
  return `0x${word.toString(16).padStart(8, '0')}`;
}
