import { ProbeFamily, RunKind } from '@sentinel/contracts/sentinel/v1/common.js';
import { ProbeBatch, UplinkPayload } from '@sentinel/contracts/sentinel/v1/probe.js';

export const TEST_DEVICE = 'CPU-test';

/** A record of `runs` runs on two SMs; run k has epoch `first + k`. SM 1 fails in the first `failing` of them. */
export function batchPayload(first: number, runs: number, failing = 0): UplinkPayload {
  const each = <T>(value: T): T[] => Array.from({ length: runs }, () => value);
  const batch = ProbeBatch.fromPartial({
    baseTimeUs: 1_700_000_000_000_000n + BigInt(first),
    deviceIds: [TEST_DEVICE],
    deviceIndex: each(0),
    family: each(ProbeFamily.FMA32),
    kind: each(RunKind.SCHEDULED),
    epoch: each(0).map((_, k) => first + k),
    index: each(0),
    startOffsetUs: each(0).map((_, k) => k),
    durationUs: each(900),
    smsPlanned: each(2),
    smsRun: each(2),
    singleSm: each(0),
    flags: each(5),
    goldenDigest: each(7),
    directiveIndex: each(0),
    mismatches: Array.from({ length: failing }, (_, run) => ({ run, sm: 1, operands: [1, 2, 3], expectedDigest: 7 })),
  });
  return payloadOf({ $case: 'probeBatch', value: batch });
}

export function payloadOf(body: NonNullable<UplinkPayload['body']>): UplinkPayload {
  return UplinkPayload.fromPartial({ createdUs: 1_700_000_000_000_000n, buildId: 'build', testBuild: false, body });
}

export function encoded(payload: UplinkPayload): Buffer {
  return Buffer.from(UplinkPayload.encode(payload).finish());
}
