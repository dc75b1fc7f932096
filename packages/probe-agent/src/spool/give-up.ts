import { UplinkPayload } from '@sentinel/contracts/sentinel/v1/probe.js';
import type { EntryKind } from '@sentinel/service-kit/spool';
import { gapOf, summarise } from '../reporting/summary.js';

/** What was lost with one payload. */
export interface GivenUp {
  readonly runs: number;
  readonly executions: number;
  readonly mismatches: number;
}

export function kindOf(payload: UplinkPayload): EntryKind {
  if (payload.body?.$case === 'gap') return 'gap';
  return summarise(payload).mismatches > 0 ? 'mismatch' : 'passing';
}

export function isOfTestBuild(bytes: Uint8Array): boolean {
  return UplinkPayload.decode(bytes).testBuild;
}

/** Replaces a payload by its counts; build, its mark as a test build, and time stay. */
export function giveUp(bytes: Uint8Array): { readonly lost: GivenUp; readonly left: Uint8Array } {
  const payload = UplinkPayload.decode(bytes);
  const gap = gapOf(payload);
  const { runs, executions, mismatches } = gap;
  const left = UplinkPayload.encode({ ...payload, body: { $case: 'gap', value: gap } }).finish();
  return { lost: { runs, executions, mismatches }, left };
}
