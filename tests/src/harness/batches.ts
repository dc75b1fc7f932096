import { type Device, ProbeFamily, ProbeResult, RunKind } from '@sentinel/contracts/sentinel/v1/common.js';
import {
  type MismatchDetail,
  ProbeBatch,
  ProbeBatch_RunFlag as RunFlag,
} from '@sentinel/contracts/sentinel/v1/probe.js';

const EPOCH_MS = 10_000;
const GOLDEN_DIGEST = 0x5eed_0001;

/** A device of `sms` SMs that passed the known answers on `selfTested` of them. */
export function device(id: string, sms: number, selfTested = sms): Device {
  return {
    id,
    model: 'scripted',
    vendor: 'test',
    sms: Array.from({ length: sms }, (_, sm) => sm),
    driverVersion: '1',
    serial: id,
    slot: '',
    vbiosVersion: '',
    cudaVersion: '',
    note: '',
    families: [ProbeFamily.FMA32, ProbeFamily.INT_AES].map((family) => ({
      family,
      probeVersion: 1,
      selfTestSmsRun: sms,
      selfTestSmsPassed: selfTested,
      instructions: [],
    })),
  };
}

export interface ScriptedRun {
  readonly family?: ProbeFamily;
  readonly kind?: RunKind;
  readonly index?: number;
  readonly flags?: number;
  readonly directiveId?: string;
  /** Only this SM runs. */
  readonly singleSm?: number;
  readonly mismatch?: Partial<MismatchDetail> & { readonly sm: number };
  /** SMs that end as NOT_RUN. */
  readonly notRun?: readonly number[];
}

let nextIndex = 1;

/** One batch of runs on one device, each under a seed of its own. */
export function batchOf(target: Device, runs: readonly ScriptedRun[]): ProbeBatch {
  const batch = ProbeBatch.fromPartial({});
  batch.baseTimeUs = BigInt(Date.now()) * 1000n;
  batch.deviceIds.push(target.id);
  for (const run of runs) append(batch, target, run);
  return batch;
}

function append(batch: ProbeBatch, target: Device, run: ScriptedRun): void {
  const row = batch.family.length;
  const planned = run.singleSm === undefined ? target.sms.length : 1;
  const notRun = run.notRun ?? [];
  batch.deviceIndex.push(0);
  batch.family.push(run.family ?? ProbeFamily.FMA32);
  batch.kind.push(run.kind ?? RunKind.SCHEDULED);
  batch.epoch.push(Math.floor(Date.now() / EPOCH_MS));
  nextIndex += 1;
  batch.index.push(run.index ?? nextIndex);
  batch.startOffsetUs.push(row);
  batch.durationUs.push(100);
  batch.smsPlanned.push(planned);
  batch.smsRun.push(planned - notRun.length);
  batch.singleSm.push(run.singleSm === undefined ? 0 : target.sms.indexOf(run.singleSm) + 1);
  batch.flags.push(run.flags ?? RunFlag.GOLDEN_INTACT | RunFlag.GOLDEN_AGREED);
  batch.goldenDigest.push(GOLDEN_DIGEST);
  batch.directiveIndex.push(directiveIndex(batch, run.directiveId));
  if (run.mismatch !== undefined) batch.mismatches.push(mismatchOf(row, target, run.mismatch));
  for (const sm of notRun) batch.outcomes.push({ run: row, sm, result: ProbeResult.NOT_RUN, reason: 'scripted' });
  if (notRun.length > 0) batch.partial.push({ run: row, ran: bitmap(target, notRun) });
}

function directiveIndex(batch: ProbeBatch, id: string | undefined): number {
  if (id === undefined) return 0;
  if (!batch.directiveIds.includes(id)) batch.directiveIds.push(id);
  return batch.directiveIds.indexOf(id) + 1;
}

/** A believable mismatch: every other SM passed the same seed. */
function mismatchOf(
  row: number,
  target: Device,
  change: Partial<MismatchDetail> & { readonly sm: number },
): MismatchDetail {
  const siblings = target.sms.length - 1;
  return {
    run: row,
    lane: 0,
    iteration: 7,
    operands: [0x3f800000, 0x40000000, 0x40400000],
    expected: [0x40a00000],
    actual: [0x40a00001],
    expectedDigest: GOLDEN_DIGEST,
    actualDigest: 0xbad0_0001,
    mismatchCount: 1,
    siblingsRun: siblings,
    siblingsPassed: siblings,
    siblingsSameDigest: 0,
    smStable: true,
    ...change,
  };
}

function bitmap(target: Device, notRun: readonly number[]): Uint8Array {
  const bits = new Uint8Array(Math.ceil(target.sms.length / 8));
  target.sms.forEach((sm, k) => {
    if (!notRun.includes(sm)) bits[k >> 3] = (bits[k >> 3] ?? 0) | (1 << (k & 7));
  });
  return bits;
}
