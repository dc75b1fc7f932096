import assert from 'node:assert/strict';
import { test } from 'node:test';
import { posteriorOdds } from './decision.js';
import type { DeviceState } from './model/device.js';
import { RunKind } from './model/terms.js';
import { addToUnit, MAX_UNITS, observe } from './observe.js';
import { UNKNOWN_BIN } from './posterior/bins.js';
import { lnTotal } from './posterior/recursion.js';
import { newStep } from './step.js';
import { columns, type RunSpec, SMS } from './testing/batches.js';
import { deviceWith, draftOf, NOW_US, unitWith } from './testing/device.js';

function observed(spec: RunSpec, device: DeviceState = deviceWith('d')) {
  const source = { kind: 'record' as const, commitSeq: 3 };
  const step = newStep(draftOf([device]), { commitSeq: 3, nowUs: NOW_US }, source, posteriorOdds);
  const origin = { node: 'n', spoolId: '0'.repeat(32), sequence: 8, buildId: 'b', testBuild: true };
  const batch = columns(NOW_US, 'd', [{}, spec]);
  const [mismatch] = batch.mismatches;
  if (mismatch === undefined) throw new Error('the spec has no failure');
  return observe(step, device, { kind: 'batch', ...origin, batch }, mismatch, NOW_US - 1, { failed: 1, sameDigest: 1 });
}

test('an observation says everything that is needed to find it and to compute it again', () => {
  const { effect } = observed({ family: 2, epoch: 11, index: 4, fails: [{ sm: 1, lane: 9, iteration: 3 }] });
  const { deviceId, node, sequence, row, commitSeq, timeUs, family, sm, epoch, index, lane, iteration, injected } =
    effect;
  assert.deepEqual(
    { deviceId, node, sequence, row, commitSeq, timeUs, family, sm, epoch, index, lane, iteration, injected },
    {
      deviceId: 'd',
      node: 'n',
      sequence: 8,
      row: 1,
      commitSeq: 3,
      timeUs: NOW_US - 1,
      family: 2,
      sm: 1,
      epoch: 11,
      index: 4,
      lane: 9,
      iteration: 3,
      injected: true,
    },
  );
});

test('of a GPU it says where on the SM; of a CPU nothing of the kind', () => {
  const place = { warp: 6, subPartition: 2, withinIterations: 32, address: 4096 };
  const placed = observed({ fails: [{ sm: 1, ...place }] }).effect;
  const { warp, subPartition, withinIterations, address } = placed;
  assert.deepEqual({ warp, subPartition, withinIterations, address }, place);
  assert.equal(observed({ fails: [{ sm: 1 }] }).effect.warp, undefined);
});

const CIRCUMSTANCES = { bin: UNKNOWN_BIN, ranBefore: 0, sinceUs: NOW_US };

test('a unit remembers the newest scheduled seed and digest, which other nodes can compare', () => {
  const device = deviceWith('d');
  const draft = draftOf([device]);
  addToUnit(draft, device, observed({ epoch: 5, fails: [{ sm: 1, actualDigest: 42 }] }, device), CIRCUMSTANCES);
  const burst = { epoch: 6, kind: RunKind.BURST, fails: [{ sm: 1, actualDigest: 43 }] };
  addToUnit(draft, device, observed(burst, device), CIRCUMSTANCES);
  const unit = device.units[0];
  assert.deepEqual([unit?.counted, unit?.epoch, unit?.digest], [2, 5, 42]);
});

test("the agent's own rerun adds evidence, but no failing run in a row", () => {
  const device = deviceWith('d');
  const draft = draftOf([device]);
  addToUnit(draft, device, observed({ fails: [{ sm: 1 }] }, device), CIRCUMSTANCES);
  const once = device.units[0]?.posterior;
  addToUnit(draft, device, observed({ kind: RunKind.RERUN, fails: [{ sm: 1 }] }, device), CIRCUMSTANCES);
  const unit = device.units[0];
  assert.deepEqual([unit?.counted, unit?.consecutive], [2, 1]);
  assert.ok(lnTotal(unit?.posterior?.lnOdds ?? []) > lnTotal(once?.lnOdds ?? []));
});

test('a mismatch that accuses the device and no single SM leaves no posterior of the unit', () => {
  const device = deviceWith('d');
  const many = { fails: [{ sm: 1, siblingsPassed: 0 }] };
  addToUnit(draftOf([device]), device, observed(many, device), CIRCUMSTANCES);
  const unit = device.units[0];
  assert.deepEqual([unit?.counted, unit?.accused, unit?.posterior], [1, 0, null]);
});

/** Other SMs than the failing one: as many as the device has, and so one too many. */
const MORE_SIBLINGS = { fails: [{ sm: 1, siblingsRun: SMS.length, siblingsPassed: SMS.length }] };

test('an SM that the device lacks, or that did not run, is not accused', () => {
  for (const spec of [
    { fails: [{ sm: 9 }] },
    { ran: [0, 2], fails: [{ sm: 1 }] },
    { single: 2, fails: [{ sm: 1 }] },
    MORE_SIBLINGS,
  ]) {
    const { believed, gates } = observed(spec);
    assert.deepEqual([believed, gates[0].verdict], [false, 'HOLD']);
  }
  assert.equal(observed({ single: 2, fails: [{ sm: 2 }] }).believed, true);
});

test('invented SMs do not fill the memory', () => {
  const units = Array.from({ length: MAX_UNITS }, (_, sm) => unitWith({ sm, counted: 1 }));
  const device = deviceWith('d', { units });
  const more = observed({ fails: [{ sm: MAX_UNITS }] }, device);
  assert.deepEqual([more.believed, more.effect.counted, more.effect.heldBy], [false, false, 'integrity']);
  assert.equal(observed({ fails: [{ sm: 3 }] }, device).believed, true, 'a known unit still counts');
});
