import { ProbeResult, type RunKind } from '@sentinel/contracts/sentinel/v1/common.js';
import type { MismatchPlace } from '@sentinel/native-probes';
import type { FamilyName } from '../families.js';
import type { DeviceContext } from '../telemetry/context.js';

/** A wrong result, from the failing execution itself. */
export interface Mismatch {
  readonly lane: number;
  readonly iteration: number;
  readonly operands: readonly number[];
  readonly expected: readonly number[];
  readonly actual: readonly number[];
  readonly expectedDigest: number;
  readonly actualDigest: number;
  readonly mismatchCount: number;
  /** Where on an SM of a GPU; null on a CPU. */
  readonly place: MismatchPlace | null;
}

export interface SmResult {
  readonly sm: number;
  readonly result: ProbeResult;
  /** Empty for PASS and FAIL. */
  readonly reason: string;
  readonly digest: number;
  readonly mismatch: Mismatch | null;
}

/** One launch of one family with one seed on one device, and what came of it on each planned SM. */
export interface ProbeRun {
  readonly deviceId: string;
  readonly family: FamilyName;
  readonly kind: RunKind;
  readonly epoch: number;
  readonly index: number;
  /** Wall clock, microseconds since the Unix epoch. */
  readonly startUs: number;
  readonly durationUs: number;
  /** The SM that the run was meant for, or null for several. */
  readonly singleSm: number | null;
  readonly results: readonly SmResult[];
  readonly goldenDigest: number;
  readonly goldenAgreed: boolean;
  readonly goldenIntact: boolean;
  readonly loudFault: boolean;
  readonly directiveId: string | null;
  /** What the device was like; undefined = not known. */
  readonly context: DeviceContext | undefined;
}

/** What other SMs made of a mismatch's seed before it was sent. */
export interface SiblingCounts {
  readonly run: number;
  readonly passed: number;
  readonly sameDigest: number;
}

/** Whether the SM computed something that could be compared: neither NOT_RUN nor any other kind of no answer. */
export function executed({ result }: SmResult): boolean {
  return result === ProbeResult.PASS || result === ProbeResult.FAIL;
}
