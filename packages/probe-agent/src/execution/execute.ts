import { ProbeResult } from '@sentinel/contracts/sentinel/v1/common.js';
import type {
  ExecuteReport,
  GoldenDispute,
  Mismatch as NativeMismatch,
  SmResult as NativeSmResult,
} from '@sentinel/native-probes';
import type { Clock } from '@sentinel/service-kit/clock';
import type { TestedDevice } from '../identity/tested-device.js';
import type { ChildReply } from '../probe-child/probe-child.js';
import type { Charge, Work } from '../scheduler/planner.js';
import type { ContextSource } from '../telemetry/context.js';
import type { Mismatch, ProbeRun, SmResult } from './run.js';

/** What a launch did, and whom it cost how much. */
export interface Launched {
  readonly run: ProbeRun;
  readonly charges: readonly Charge[];
  /** CPU time of the goldens of a GPU. */
  readonly goldenCharges: readonly Charge[];
  /** Golden CPUs that computed different values. */
  readonly dispute: GoldenDispute | null;
}

/** Knows of loud faults: Xid events, uncorrectable memory errors, machine checks. */
export interface LoudFaults {
  /** Whether the device had any within the last two sampling intervals, the present moment included. */
  recently(deviceId: string): Promise<boolean>;
}

export interface Executor {
  readonly deviceOf: (deviceId: string) => Pick<TestedDevice, 'execute'>;
  readonly clock: Clock;
  readonly loudFaults: LoudFaults;
  readonly contexts: ContextSource;
}

/** What a child that gave no answer means for the SMs that were to run. */
const NO_ANSWER: Readonly<Record<Exclude<ChildReply<never>['kind'], 'answer'>, ProbeResult>> = {
  timeout: ProbeResult.TIMEOUT,
  crashed: ProbeResult.ERROR,
  refused: ProbeResult.ERROR,
  unavailable: ProbeResult.NOT_RUN,
  unprepared: ProbeResult.NOT_RUN,
};

/** Carries out one launch. A child that hangs or dies makes results of their own kind, never an exception. */
export async function execute(work: Work, { deviceOf, clock, loudFaults, contexts }: Executor): Promise<Launched> {
  const startUs = Number(clock.nowUs());
  const startMs = clock.monotonicMs();
  const { family, epoch, index, sms, goldenCpus } = work;
  const request = { family, epoch, index, sms: [...sms], goldenCpus };
  const reply = await deviceOf(work.deviceId).execute(request, work.timeoutMs);
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
    context: contexts.latest(work.deviceId),
  };
  if (reply.kind !== 'answer') {
    const result = NO_ANSWER[reply.kind];
    const results = sms.map((sm): SmResult => ({ sm, result, reason: reply.reason, digest: 0, mismatch: null }));
    const run = {
      ...common,
      durationUs,
      results,
      goldenDigest: 0,
      goldenAgreed: false,
      goldenIntact: false,
      loudFault: false,
    };
    return { run, charges: [], goldenCharges: [], dispute: null };
  }
  const { report: answer, charges, goldenCharges } = reply.value;
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
      loudFault: failed && (await loudFaults.recently(work.deviceId)),
    },
    charges,
    goldenCharges,
    dispute: answer.goldenDispute,
  };
}

/** One result for each planned SM, whatever the addon left out. */
function smResults(planned: readonly number[], answer: ExecuteReport): SmResult[] {
  return planned.map((sm) => {
    const native = answer.results.find((result) => result.sm === sm);
    if (native === undefined) {
      return { sm, result: ProbeResult.NOT_RUN, reason: 'the addon gave no result', digest: 0, mismatch: null };
    }
    const result = resultOf(native);
    // Only a FAIL accuses: a difference from a golden that nobody confirmed says nothing about the SM.
    const mismatch = result === ProbeResult.FAIL ? mismatchOf(native.mismatch) : null;
    return { sm, result, reason: native.reason ?? '', digest: native.digest, mismatch };
  });
}

function resultOf({ result }: NativeSmResult): ProbeResult {
  const known = ProbeResult[result as keyof typeof ProbeResult];
  return known > 0 ? known : ProbeResult.ERROR;
}

function mismatchOf(mismatch: NativeMismatch | null): Mismatch | null {
  if (mismatch === null) return null;
  const { lane, iteration, operands, expected, actual, expectedDigest, actualDigest, mismatchCount } = mismatch;
  const words = { operands: [...operands], expected: [...expected], actual: [...actual] };
  const place = mismatch.gpu ?? null;
  return { lane, iteration, ...words, expectedDigest, actualDigest, mismatchCount, place };
}
