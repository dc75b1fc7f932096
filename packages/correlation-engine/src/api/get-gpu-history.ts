import type {
  GetGpuHistoryRequest,
  GetGpuHistoryResponse,
  HistoryRun,
} from '@sentinel/contracts/sentinel/v1/health.js';
import { type ProbeBatch, UplinkPayload } from '@sentinel/contracts/sentinel/v1/probe.js';
import type { HistoryCursor, HistoryEntry, HistoryStore } from '../store/history/history-store.js';
import { badPageToken, pageLimit } from './limits.js';

/** Records read for one page at most: a narrow time range in a long history ends with an empty page and a token. */
const MAX_RECORDS_READ = 2_000;
const TOKEN = /^(\d{1,10})\.(\d{1,12})\.(\d{1,10})$/;

/** Position of the next run to show: the record and its row. */
interface Place extends HistoryCursor {
  readonly row: number;
}

/** Runs of a device, newest committed record first, its rows from the last to the first. */
export async function getGpuHistory(
  history: HistoryStore,
  device: string,
  request: GetGpuHistoryRequest,
): Promise<GetGpuHistoryResponse> {
  const limit = pageLimit(request.limit);
  const from = readToken(request.pageToken);
  const runs: HistoryRun[] = [];
  // The cursor is exclusive: the record that the last page broke off in is read again.
  const before = from === null ? null : { segment: from.segment, offset: from.offset + 1 };
  let read = 0;
  for await (const entry of history.read(device, Number(request.startUs), before)) {
    const last =
      from !== null && entry.at.segment === from.segment && entry.at.offset === from.offset ? from.row : null;
    for (const run of runsOf(entry, device, last)) {
      if (run.timeUs < request.startUs || (request.endUs > 0n && run.timeUs >= request.endUs)) continue;
      if (runs.length === limit) return { runs, nextPageToken: token({ ...entry.at, row: run.row }) };
      runs.push(run);
    }
    read += 1;
    if (read >= MAX_RECORDS_READ)
      return { runs, nextPageToken: token({ segment: entry.at.segment, offset: entry.at.offset - 1, row: 0 }) };
  }
  return { runs, nextPageToken: '' };
}

/** Rows of one record that concern the device, from row `last` down. */
function runsOf({ record }: HistoryEntry, device: string, last: number | null): HistoryRun[] {
  const { body, testBuild } = UplinkPayload.decode(record.payload);
  if (body?.$case !== 'probeBatch') return [];
  const batch = body.value;
  const rows = [...batch.family.keys()].filter((row) => batch.deviceIds[batch.deviceIndex[row] ?? -1] === device);
  return rows
    .filter((row) => last === null || row <= last)
    .toReversed()
    .map((row) => ({
      ...rowOf(batch, row, record.offsetUs, record.nowUs),
      commitSeq: BigInt(record.commitSeq),
      node: record.node,
      sequence: BigInt(record.sequence),
      injected: testBuild,
      spoolId: Buffer.from(record.spoolId, 'hex'),
    }));
}

/** The agent's clock corrected by the offset of its hello, and never after the commit. */
function rowOf(batch: ProbeBatch, row: number, offsetUs: number, nowUs: number) {
  const agentUs = Number(batch.baseTimeUs) + (batch.startOffsetUs[row] ?? 0);
  return {
    timeUs: BigInt(Math.max(0, Math.min(nowUs, agentUs + offsetUs))),
    family: batch.family[row] ?? 0,
    kind: batch.kind[row] ?? 0,
    epoch: batch.epoch[row] ?? 0,
    index: batch.index[row] ?? 0,
    durationUs: batch.durationUs[row] ?? 0,
    smsPlanned: batch.smsPlanned[row] ?? 0,
    smsRun: batch.smsRun[row] ?? 0,
    failedSms: batch.mismatches.filter((mismatch) => mismatch.run === row).map((mismatch) => mismatch.sm),
    row,
  };
}

function token({ segment, offset, row }: Place): string {
  return Buffer.from(`${segment}.${offset}.${row}`).toString('base64url');
}

function readToken(text: string): Place | null {
  if (text === '') return null;
  const parts = TOKEN.exec(Buffer.from(text, 'base64url').toString('latin1'));
  if (parts === null) throw badPageToken();
  const [segment = 0, offset = 0, row = 0] = parts.slice(1).map(Number);
  return { segment, offset, row };
}
