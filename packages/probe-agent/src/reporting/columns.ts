import { isDeepStrictEqual } from 'node:util';
import { RunKind } from '@sentinel/contracts/sentinel/v1/common.js';
import {
  type MismatchDetail,
  ProbeBatch,
  ProbeBatch_RunFlag as RunFlag,
  type SmOutcome,
  type RunContext as WireContext,
} from '@sentinel/contracts/sentinel/v1/probe.js';
import { executed, type ProbeRun, type SmResult } from '../execution/run.js';
import { wireFamily } from '../families.js';
import type { DeviceContext } from '../telemetry/context.js';
import { siblingCounts } from './siblings.js';

const MAX_U32 = 0xffff_ffff;

/** Runs that belong together: a run and, after a mismatch, the rerun and sibling runs of its seed. */
export type RunGroup = readonly ProbeRun[];

/**
 * Writes groups of runs as the columns of one batch.
 * @param smsOf the SMs of a device in the order of its hello
 */
export function toBatch(groups: readonly RunGroup[], smsOf: (deviceId: string) => readonly number[]): ProbeBatch {
  const batch = ProbeBatch.fromPartial({});
  batch.baseTimeUs = BigInt(Math.min(...groups.flat().map(({ startUs }) => startUs)));
  for (const group of groups) {
    for (const run of group) appendRun(batch, run, group, smsOf(run.deviceId));
  }
  return batch;
}

function appendRun(batch: ProbeBatch, run: ProbeRun, group: RunGroup, deviceSms: readonly number[]): void {
  const row = batch.epoch.length;
  const ran = run.results.filter(executed);
  batch.deviceIndex.push(indexIn(batch.deviceIds, run.deviceId));
  batch.family.push(wireFamily(run.family));
  batch.kind.push(run.kind);
  batch.epoch.push(run.epoch);
  batch.index.push(run.index);
  batch.startOffsetUs.push(clampU32(run.startUs - Number(batch.baseTimeUs)));
  batch.durationUs.push(clampU32(run.durationUs));
  batch.smsPlanned.push(run.results.length);
  batch.smsRun.push(ran.length);
  batch.singleSm.push(run.singleSm === null ? 0 : deviceSms.indexOf(run.singleSm) + 1);
  batch.flags.push(flagsOf(run));
  batch.goldenDigest.push(run.goldenAgreed ? run.goldenDigest : 0);
  batch.directiveIndex.push(run.directiveId === null ? 0 : indexIn(batch.directiveIds, run.directiveId) + 1);
  batch.contextIndex.push(run.context === undefined ? 0 : contextIn(batch.contexts, run.context) + 1);

  const meantFor = run.singleSm === null ? deviceSms.length : 1;
  if (ran.length !== meantFor) batch.partial.push({ run: row, ran: bitmap(ran, deviceSms) });
  batch.mismatches.push(...mismatchesOf(row, run, group));
  batch.outcomes.push(...outcomesOf(row, run));
  if (run.kind === RunKind.CANARY) batch.canaries.push({ run: row, digests: digestsOf(run, deviceSms) });
}

function flagsOf(run: ProbeRun): number {
  return (
    (run.goldenIntact ? RunFlag.GOLDEN_INTACT : 0) |
    (run.loudFault ? RunFlag.LOUD_FAULT : 0) |
    (run.goldenAgreed ? RunFlag.GOLDEN_AGREED : 0)
  );
}

function mismatchesOf(row: number, run: ProbeRun, group: RunGroup): MismatchDetail[] {
  return run.results.flatMap(({ sm, mismatch }) => {
    if (mismatch === null) return [];
    const siblings = siblingCounts(sm, mismatch.actualDigest, group);
    return {
      run: row,
      sm,
      lane: mismatch.lane,
      iteration: mismatch.iteration,
      operands: [...mismatch.operands],
      expected: [...mismatch.expected],
      actual: [...mismatch.actual],
      expectedDigest: mismatch.expectedDigest,
      actualDigest: mismatch.actualDigest,
      mismatchCount: mismatch.mismatchCount,
      siblingsRun: siblings.run,
      siblingsPassed: siblings.passed,
      siblingsSameDigest: siblings.sameDigest,
      warp: mismatch.place?.warp,
      subPartition: mismatch.place?.subPartition,
      withinIterations: mismatch.place?.withinIterations,
      address: mismatch.place?.address ?? undefined,
      // The addon answers NOT_RUN, never FAIL, when the thread (on a GPU: the block) was not on its SM at start and end.
      smStable: true,
    };
  });
}

function outcomesOf(row: number, run: ProbeRun): SmOutcome[] {
  return run.results
    .filter((result) => !executed(result))
    .map(({ sm, result, reason }) => ({ run: row, sm, result, reason }));
}

/** One for each SM of the device; 0 = it did not run. */
function digestsOf(run: ProbeRun, deviceSms: readonly number[]): number[] {
  const digests = new Map(run.results.filter(executed).map(({ sm, digest }) => [sm, digest]));
  return deviceSms.map((sm) => digests.get(sm) ?? 0);
}

/** Bit k = the SM at `deviceSms[k]` ran. */
function bitmap(ran: readonly SmResult[], deviceSms: readonly number[]): Uint8Array {
  const bits = new Uint8Array(Math.ceil(deviceSms.length / 8));
  for (const { sm } of ran) {
    const k = deviceSms.indexOf(sm);
    bits[k >> 3] = (bits[k >> 3] ?? 0) | (1 << (k & 7));
  }
  return bits;
}

function indexIn(list: string[], value: string): number {
  const found = list.indexOf(value);
  return found >= 0 ? found : list.push(value) - 1;
}

/** Runs that follow each other closely share a context. */
function contextIn(
  contexts: WireContext[],
  { temperatureC, clockMhz, powerW, clockEventReasons, hot }: DeviceContext,
): number {
  const context: WireContext = {
    temperatureC: rounded(temperatureC),
    clockMhz: rounded(clockMhz),
    powerW: rounded(powerW),
    clockEventReasons,
    hot,
  };
  const found = contexts.findIndex((other) => isDeepStrictEqual(other, context));
  return found >= 0 ? found : contexts.push(context) - 1;
}

function rounded(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value);
}

function clampU32(value: number): number {
  return Math.max(0, Math.min(MAX_U32, Math.round(value)));
}
