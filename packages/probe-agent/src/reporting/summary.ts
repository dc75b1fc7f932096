import type { ProbeFamily, RunKind } from '@sentinel/contracts/sentinel/v1/common.js';
import type { Gap, ProbeBatch, UplinkPayload } from '@sentinel/contracts/sentinel/v1/probe.js';

/** One run of a record, as the ack journal lists it. */
export interface RunRow {
  readonly device: string;
  readonly family: ProbeFamily;
  readonly kind: RunKind;
  readonly epoch: number;
  readonly index: number;
  readonly smsPlanned: number;
  /** SMs that ran to a PASS or FAIL. */
  readonly smsRun: number;
  /** SMs that failed, ascending. */
  readonly failedSms: readonly number[];
}

/** What an uplink record holds, in numbers. */
export interface Summary {
  readonly rows: readonly RunRow[];
  readonly executions: number;
  readonly mismatches: number;
  readonly firstTimeUs: bigint;
  readonly lastTimeUs: bigint;
}

export function summarise(payload: UplinkPayload): Summary {
  if (payload.body?.$case !== 'probeBatch') {
    return { rows: [], executions: 0, mismatches: 0, firstTimeUs: payload.createdUs, lastTimeUs: payload.createdUs };
  }
  const batch = payload.body.value;
  const rows = batch.epoch.map((_, row) => runRow(batch, row));
  const starts = batch.startOffsetUs.map((offset) => batch.baseTimeUs + BigInt(offset)).sort((a, b) => Number(a - b));
  return {
    rows,
    executions: rows.reduce((sum, row) => sum + row.smsRun, 0),
    mismatches: batch.mismatches.length,
    firstTimeUs: starts[0] ?? payload.createdUs,
    lastTimeUs: starts.at(-1) ?? payload.createdUs,
  };
}

/** What stands in for a record that is given up. */
export function gapOf(payload: UplinkPayload): Gap {
  if (payload.body?.$case === 'gap') return payload.body.value;
  const { rows, executions, mismatches, firstTimeUs, lastTimeUs } = summarise(payload);
  return { runs: rows.length, executions, mismatches, firstTimeUs, lastTimeUs };
}

function runRow(batch: ProbeBatch, row: number): RunRow {
  return {
    device: batch.deviceIds[batch.deviceIndex[row] ?? -1] ?? '',
    family: batch.family[row] ?? 0,
    kind: batch.kind[row] ?? 0,
    epoch: batch.epoch[row] ?? 0,
    index: batch.index[row] ?? 0,
    smsPlanned: batch.smsPlanned[row] ?? 0,
    smsRun: batch.smsRun[row] ?? 0,
    failedSms: batch.mismatches
      .filter(({ run }) => run === row)
      .map(({ sm }) => sm)
      .sort((a, b) => a - b),
  };
}
