import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ProbeBatch, UplinkPayload } from '@sentinel/contracts/sentinel/v1/probe.js';
import { SegmentLog } from '@sentinel/service-kit/segment-log';
import type { EngineEvidence, RunFacts } from '../check/reconcile.js';

const MAX_RECORD_BYTES = 8 * 1024 * 1024;
const MAX_SEGMENT_BYTES = 2 ** 31;
const LENGTH_BYTES = 4;

export interface History {
  readonly runs: EngineEvidence['history'];
  /** Highest sequence of each spool, also of records that hold no run. */
  readonly through: ReadonlyMap<string, number>;
}

/** Everything in an engine's segment files, read from a copy: the engine has the folder locked. */
export async function readHistory(folder: string): Promise<History> {
  const copy = mkdtempSync(join(tmpdir(), 'sentinel-history-'));
  try {
    cpSync(folder, copy, { recursive: true, filter: (file) => file === folder || file.endsWith('.seg') });
    const log = await SegmentLog.open({
      dir: copy,
      maxSegmentBytes: MAX_SEGMENT_BYTES,
      maxRecordBytes: MAX_RECORD_BYTES,
    });
    const runs: EngineEvidence['history'][number][] = [];
    const through = new Map<string, number>();
    for await (const { record } of log.read()) {
      const { spoolId, sequence, payload } = decode(record);
      through.set(spoolId, Math.max(sequence, through.get(spoolId) ?? 0));
      runs.push(...runsOf(payload).map((run, row) => ({ ...run, spoolId, sequence, row })));
    }
    await log.close();
    return { runs, through };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** u32be length of a JSON header | header | the payload as the agent made it. */
function decode(record: Buffer): { spoolId: string; sequence: number; payload: UplinkPayload } {
  const headerEnd = LENGTH_BYTES + record.readUInt32BE(0);
  const { spoolId, sequence } = JSON.parse(record.toString('utf8', LENGTH_BYTES, headerEnd)) as {
    spoolId: string;
    sequence: number;
  };
  return { spoolId, sequence, payload: UplinkPayload.decode(record.subarray(headerEnd)) };
}

/** The runs of a record, as the agent made it. */
export function runsOf({ body }: UplinkPayload): RunFacts[] {
  return body?.$case === 'probeBatch' ? body.value.family.map((_, row) => runOf(body.value, row)) : [];
}

function runOf(batch: ProbeBatch, row: number): RunFacts {
  return {
    device: batch.deviceIds[batch.deviceIndex[row] ?? -1] ?? '',
    family: batch.family[row] ?? 0,
    kind: batch.kind[row] ?? 0,
    epoch: batch.epoch[row] ?? 0,
    index: batch.index[row] ?? 0,
    executions: batch.smsRun[row] ?? 0,
    failing: batch.mismatches
      .filter(({ run }) => run === row)
      .map(({ sm }) => sm)
      .sort((a, b) => a - b),
  };
}
