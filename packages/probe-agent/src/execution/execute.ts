import { ProbeResult } from '@sentinel/contracts/sentinel/v1/common.js';
import type { Clock } from '@sentinel/service-kit/clock';
import type { ExecuteResult, NativeMismatch, NativeSmResult } from '../probe-child/native.js';
import type { ChildReply, ProbeChild } from '../probe-child/probe-child.js';
import type { CpuCharge, Work } from '../scheduler/planner.js';
import type { Mismatch, ProbeRun, SmResult } from './run.js';

/** What a launch did, and whom it cost how much. */
export interface Launched {
  readonly run: ProbeRun;
  readonly charges: readonly CpuCharge[];
}

/** Counts loud faults (machine checks, uncorrectable memory errors) of this machine. */
export interface LoudFaults {
  /** Whether any came within the last two sampling intervals. */
  recently(): boolean;
}

export interface Executor {
  readonly child: Pick<ProbeChild, 'ask'>;
  readonly clock: Clock;
  readonly loudFaults: LoudFaults;
}

/** What a child that gave no answer means for the SMs that were to run. */
const NO_ANSWER: Readonly<Record<Exclude<ChildReply<never>['kind'], 'answer'>, ProbeResult>> = {
  timeout: ProbeResult.TIMEOUT,
  crashed: ProbeResult.ERROR,
  refused: ProbeResult.ERROR,
  unavailable: ProbeResult.NOT_RUN,
};

/** Carries out one launch. A child that hangs or dies makes results of their own kind, never an exception. */
export async function execute(work: Work, { child, clock, loudFaults }: Executor): Promise<Launched> {
  const startUs = Number(clock.nowUs());
  const startMs = clock.monotonicMs();
  const { family, epoch, index, sms, goldenCpus } = work;
  const reply = await child.ask('execute', { family, epoch, index, sms, goldenCpus }, work.timeoutMs);
  const durationUs = Math.round((clock.monotonicMs() - startMs) * 1000);
  const common = {
    deviceId: work.deviceId,
    family,
    kind: work.kind,
    epoch,
    index,
    startUs,
    singleSm: sms.length === 1 ? (sms[0] ?? null) : null,
    directiveId: work.directiveId,
  };
  if (reply.kind !== 'answer') {
    const result = NO_ANSWER[reply.kind];
    const results = sms.map((sm): SmResult => ({ sm, result, reason: reply.reason, digest: 0, mismatch: null }));
    const run = { ...common, durationUs, results, goldenDigest: 0, goldenAgreed: false, goldenIntact: false, loudFault: false };
    return { run, charges: [] };
  }
  const answer = reply.value;
  const results = smResults(sms, answer);
  const failed = results.some(({ result }) => result === ProbeResult.FAIL);
  return {
    run: {
      ...common,
      durationUs: answer.wallUs,
      results,
      goldenDigest: answer.expectedDigest,
      goldenAgreed: answer.goldenAgreed,
      goldenIntact: answer.goldenCrcOk,
      loudFault: failed && loudFaults.recently(),
    },
    charges: answer.cpuUs,
  };
}

/** One result for each planned SM, whatever the addon left out. */
function smResults(planned: readonly number[], answer: ExecuteResult): SmResult[] {
  return planned.map((sm) => {
    const native = answer.results.find((result) => result.sm === sm);
    if (native === undefined) {
      return { sm, result: ProbeResult.NOT_RUN, reason: 'the addon gave no result', digest: 0, mismatch: null };
    }
    return { sm, result: resultOf(native), reason: native.reason, digest: native.digest, mismatch: mismatchOf(native.mismatch) };
  });
}

function resultOf({ result }: NativeSmResult): ProbeResult {
  const known = ProbeResult[result as keyof typeof ProbeResult];
  return known > 0 ? known : ProbeResult.ERROR;
}

function mismatchOf(mismatch: NativeMismatch | null): Mismatch | null {
  if (mismatch === null) return null;
  const { operands, expected, actual } = mismatch;
  return { ...mismatch, operands: [...operands], expected: [...expected], actual: [...actual] };
}
