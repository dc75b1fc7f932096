import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProbeFamily, ProbeResult, RunKind } from '@sentinel/contracts/sentinel/v1/common.js';
import { ProbeBatch, UplinkPayload } from '@sentinel/contracts/sentinel/v1/probe.js';
import type { Mismatch, ProbeRun, SmResult } from '../execution/run.js';
import { toBatch } from './columns.js';
import { gapOf, summarise } from './summary.js';

const SMS = [2, 3, 8];
const smsOf = () => SMS;
const WRONG: Mismatch = {
  lane: 1,
  iteration: 2,
  operands: [1, 2, 3],
  expected: [4],
  actual: [5],
  expectedDigest: 6,
  actualDigest: 7,
  mismatchCount: 8,
  place: null,
};

function result(sm: number, value: ProbeResult, mismatch: Mismatch | null = null): SmResult {
  return { sm, result: value, reason: value === ProbeResult.TIMEOUT ? 'late' : '', digest: 6, mismatch };
}

function run(results: SmResult[], fields: Partial<ProbeRun> = {}): ProbeRun {
  return {
    deviceId: 'CPU-a',
    family: 'fma32',
    kind: RunKind.SCHEDULED,
    epoch: 5,
    index: 0,
    startUs: 1_000_000,
    durationUs: 900,
    singleSm: null,
    results,
    goldenDigest: 6,
    goldenAgreed: true,
    goldenIntact: true,
    loudFault: false,
    directiveId: null,
    context: undefined,
    ...fields,
  };
}

const PASSES = SMS.map((sm) => result(sm, ProbeResult.PASS));

test('a run that went as planned is one row and nothing sparse', () => {
  const batch = toBatch([[run(PASSES)], [run(PASSES, { startUs: 1_000_050, epoch: 6 })]], smsOf);
  assert.deepEqual(batch.startOffsetUs, [0, 50]);
  assert.deepEqual(
    [batch.smsPlanned, batch.smsRun, batch.singleSm],
    [
      [3, 3],
      [3, 3],
      [0, 0],
    ],
  );
  assert.deepEqual([batch.partial, batch.mismatches, batch.outcomes], [[], [], []]);
  assert.deepEqual([batch.deviceIds, batch.flags], [['CPU-a'], [5, 5]]);
});

test('NOT_RUN and TIMEOUT are outcomes and never count as run', () => {
  const results = [result(2, ProbeResult.PASS), result(3, ProbeResult.TIMEOUT), result(8, ProbeResult.NOT_RUN)];
  const batch = toBatch([[run(results)]], smsOf);
  assert.deepEqual([batch.smsPlanned, batch.smsRun], [[3], [1]]);
  assert.deepEqual(
    batch.partial.map(({ run: row, ran }) => [row, [...ran]]),
    [[0, [1]]],
  );
  assert.deepEqual(batch.outcomes, [
    { run: 0, sm: 3, result: ProbeResult.TIMEOUT, reason: 'late' },
    { run: 0, sm: 8, result: ProbeResult.NOT_RUN, reason: '' },
  ]);
});

test('a mismatch tells what its siblings made of the seed, its reruns left out', () => {
  const first = run([result(3, ProbeResult.FAIL, WRONG)], { singleSm: 3, directiveId: 'd-1', kind: RunKind.BURST });
  const siblings = run([result(2, ProbeResult.PASS), result(8, ProbeResult.FAIL, WRONG)], { kind: RunKind.SIBLING });
  const rerun = run([result(3, ProbeResult.PASS)], { kind: RunKind.RERUN, singleSm: 3 });
  const batch = toBatch([[first, siblings, rerun]], smsOf);
  assert.deepEqual(batch.singleSm, [2, 0, 2]);
  assert.deepEqual([batch.directiveIds, batch.directiveIndex], [['d-1'], [1, 0, 0]]);
  assert.deepEqual(
    batch.partial.map(({ run: row, ran }) => [row, [...ran]]),
    [[1, [0b101]]],
  );
  assert.deepEqual(
    batch.mismatches.map(({ run: row, sm, siblingsRun, siblingsPassed, siblingsSameDigest }) => [
      row,
      sm,
      siblingsRun,
      siblingsPassed,
      siblingsSameDigest,
    ]),
    [
      [0, 3, 2, 1, 1],
      [1, 8, 2, 1, 1],
    ],
  );
  assert.deepEqual(ProbeBatch.decode(ProbeBatch.encode(batch).finish()), batch);
});

test('where on a GPU it was, and what the device was like', () => {
  const place = { warp: 6, subPartition: 2, withinIterations: 32, address: 4096 };
  const context = { temperatureC: 71.6, powerW: 412.2, hot: true };
  const first = run([result(3, ProbeResult.FAIL, { ...WRONG, place })], { context });
  const batch = toBatch([[first, run(PASSES, { context }), run(PASSES)]], smsOf);
  assert.deepEqual([batch.contextIndex, batch.contexts.length], [[1, 1, 0], 1]);
  const decoded = ProbeBatch.decode(ProbeBatch.encode(batch).finish());
  const { temperatureC, clockMhz, powerW, clockEventReasons, hot } = decoded.contexts[0] ?? {};
  assert.deepEqual([temperatureC, clockMhz, powerW, clockEventReasons, hot], [72, undefined, 412, undefined, true]);
  const { warp, subPartition, withinIterations, address } = decoded.mismatches[0] ?? {};
  assert.deepEqual({ warp, subPartition, withinIterations, address }, place);
});

test('a golden that was not agreed has no digest, and its flags say so', () => {
  const batch = toBatch([[run(PASSES, { goldenAgreed: false, goldenIntact: false, loudFault: true })]], smsOf);
  assert.deepEqual([batch.goldenDigest, batch.flags], [[0], [2]]);
});

test('a record is summarised run by run, and its gap has the same counts', () => {
  const batch = toBatch(
    [
      [run([result(3, ProbeResult.FAIL, WRONG), result(2, ProbeResult.NOT_RUN)])],
      [run(PASSES, { startUs: 1_000_100 })],
    ],
    smsOf,
  );
  const payload = UplinkPayload.fromPartial({ createdUs: 9n, body: { $case: 'probeBatch', value: batch } });
  const { rows } = summarise(payload);
  const common = { device: 'CPU-a', family: ProbeFamily.FMA32, kind: RunKind.SCHEDULED, epoch: 5, index: 0 };
  assert.deepEqual(rows, [
    { ...common, smsPlanned: 2, smsRun: 1, failedSms: [3] },
    { ...common, smsPlanned: 3, smsRun: 3, failedSms: [] },
  ]);
  assert.deepEqual(gapOf(payload), {
    runs: 2,
    executions: 4,
    mismatches: 1,
    firstTimeUs: 1_000_000n,
    lastTimeUs: 1_000_100n,
  });
});

test('a canary tells what each SM computed, right or wrong; 0 = it did not run', () => {
  const results = [
    result(2, ProbeResult.PASS),
    { ...result(3, ProbeResult.FAIL, WRONG), digest: 7 },
    result(8, ProbeResult.TIMEOUT),
  ];
  const batch = toBatch([[run(PASSES), run(results, { kind: RunKind.CANARY, directiveId: 'c' })]], smsOf);
  assert.deepEqual(batch.canaries, [{ run: 1, digests: [6, 7, 0] }]);
  assert.deepEqual(ProbeBatch.decode(ProbeBatch.encode(batch).finish()), batch);
});
