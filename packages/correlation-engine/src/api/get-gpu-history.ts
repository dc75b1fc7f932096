import type {
  GetGpuHistoryRequest,
  GetGpuHistoryResponse,
  HistoryRun,
} from '@sentinel/contracts/sentinel/v1/health.js';
import { type ProbeBatch, UplinkPayload } from '@sentinel/contracts/sentinel/v1/probe.js';
import type { DeviceState } from '../core.js';
import { eventName, plainDetail } from '../ingest/envelope.js';
import type { HistoryRecord } from '../store/history/history-record.js';
import type { HistoryCursor, HistoryEntry, HistoryStore } from '../store/history/history-store.js';
import { badPageToken, pageLimit } from './limits.js';

/** Records read for one page at most: a narrow time range in a long history ends with an empty page and a token. */
const MAX_RECORDS_READ = 2_000;
/** Fields of one page at most: samples are large, and a page has to fit into a message. */
const MAX_FIELDS_READ = 20_000;
const TOKEN = /^(-1|\d{1,10})\.([\w.]{1,64})$/;
/** Row of a record all of which was shown. */
const NO_ROW = -1;

/** Position of the next run to show: the record and its row. */
interface Place {
  readonly at: HistoryCursor;
  readonly row: number;
}

/** One entry of a record, numbered by `row`: a run, a sample or an event. */
interface Item {
  readonly row: number;
  readonly timeUs: bigint;
  /** Its share of a page, in fields. */
  readonly fields: number;
  addTo(page: GetGpuHistoryResponse): void;
}

/** The history of a device; of hardware that was replaced under the same id, what is older than that. */
export function historyOf(
  history: HistoryStore,
  { id, replaced }: DeviceState,
  request: GetGpuHistoryRequest,
): Promise<GetGpuHistoryResponse> {
  if (replaced === null || !id.startsWith(`${replaced.by}@`)) return getGpuHistory(history, id, request);
  const untilUs = BigInt(replaced.us);
  const endUs = request.endUs > 0n && request.endUs < untilUs ? request.endUs : untilUs;
  return getGpuHistory(history, replaced.by, { ...request, endUs });
}

/** Runs, samples and events of a device, newest committed record first, those of a record from the last to the first. */
async function getGpuHistory(
  history: HistoryStore,
  device: string,
  request: GetGpuHistoryRequest,
): Promise<GetGpuHistoryResponse> {
  const limit = pageLimit(request.limit);
  const from = readToken(request.pageToken);
  const page: GetGpuHistoryResponse = { runs: [], telemetry: [], events: [], nextPageToken: '' };
  let read = 0;
  let items = 0;
  let fields = 0;
  for await (const entry of history.read(device, Number(request.startUs), from?.at ?? null)) {
    const last = entry.at === from?.at ? from.row : null;
    for (const item of itemsOf(entry, device, last)) {
      if (item.timeUs < request.startUs || (request.endUs > 0n && item.timeUs >= request.endUs)) continue;
      if (items === limit || (items > 0 && fields + item.fields > MAX_FIELDS_READ))
        return { ...page, nextPageToken: token({ at: entry.at, row: item.row }) };
      item.addTo(page);
      items += 1;
      fields += item.fields;
    }
    read += 1;
    if (read >= MAX_RECORDS_READ) return { ...page, nextPageToken: token({ at: entry.at, row: NO_ROW }) };
  }
  return page;
}

/** Entries of one record that concern the device, from row `last` down. */
function itemsOf({ record }: HistoryEntry, device: string, last: number | null): Item[] {
  const { body, testBuild } = UplinkPayload.decode(record.payload);
  const own = { commitSeq: BigInt(record.commitSeq), node: record.node, sequence: BigInt(record.sequence) };
  const items = (): Item[] => {
    switch (body?.$case) {
      case 'probeBatch':
        return runsOf(body.value, record, device, testBuild);
      case 'telemetry':
        return rowsOf(body.value.samples, device).map(([row, { values, texts, partial, timeUs: agentUs }]) => {
          const timeUs = engineTimeUs(Number(agentUs), record);
          const fields = Object.keys(values).length + Object.keys(texts).length;
          return {
            row,
            timeUs,
            fields,
            addTo: ({ telemetry }) => telemetry.push({ timeUs, values, texts, partial, ...own }),
          };
        });
      case 'events':
        return rowsOf(body.value.events, device).map(([row, { kind, detail, timeUs: agentUs }]) => {
          const timeUs = engineTimeUs(Number(agentUs), record);
          const event = eventName(kind);
          return {
            row,
            timeUs,
            fields: 1,
            addTo: ({ events }) =>
              events.push({ timeUs, event, detail: plainDetail(detail), injected: testBuild, ...own }),
          };
        });
      default:
        return [];
    }
  };
  return items()
    .filter(({ row }) => last === null || row <= last)
    .toReversed();
}

function rowsOf<T extends { deviceId: string }>(list: readonly T[], device: string): [number, T][] {
  return [...list.entries()].filter(([, { deviceId }]) => deviceId === device);
}

function runsOf(batch: ProbeBatch, record: HistoryRecord, device: string, injected: boolean): Item[] {
  const rows = [...batch.family.keys()].filter((row) => batch.deviceIds[batch.deviceIndex[row] ?? -1] === device);
  return rows.map((row) => {
    const run: HistoryRun = {
      ...rowOf(batch, row, record),
      commitSeq: BigInt(record.commitSeq),
      node: record.node,
      sequence: BigInt(record.sequence),
      injected,
      spoolId: Buffer.from(record.spoolId, 'hex'),
    };
    return { row, timeUs: run.timeUs, fields: 1, addTo: ({ runs }) => runs.push(run) };
  });
}

/** The agent's clock corrected by the offset of its hello, and never after the commit. */
function engineTimeUs(agentUs: number, { offsetUs, nowUs }: HistoryRecord): bigint {
  return BigInt(Math.max(0, Math.min(nowUs, agentUs + offsetUs)));
}

function rowOf(batch: ProbeBatch, row: number, record: HistoryRecord) {
  return {
    timeUs: engineTimeUs(Number(batch.baseTimeUs) + (batch.startOffsetUs[row] ?? 0), record),
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

function token({ at, row }: Place): string {
  return Buffer.from(`${row}.${at}`).toString('base64url');
}

function readToken(text: string): Place | null {
  if (text === '') return null;
  const [, row, at] = TOKEN.exec(Buffer.from(text, 'base64url').toString('latin1')) ?? [];
  if (row === undefined || at === undefined) throw badPageToken();
  return { at, row: Number(row) };
}
