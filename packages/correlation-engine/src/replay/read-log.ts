import { setTimeout as sleep } from 'node:timers/promises';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { CoreRecord } from '../core.js';
import { decodeRecord } from '../ingest/envelope.js';
import type { HistoryRecord } from '../store/history/history-record.js';
import type { HistoryLog } from '../store/history/history-store.js';

/** One record of the log, as the core takes it. */
export interface LogEntry {
  commitSeq: number;
  nowUs: number;
  record: CoreRecord;
}

/** History that stands before its turn, because spools are archived at their own pace. Beyond it the replay is given up. */
const MAX_AHEAD_BYTES = 1024 * 1024 * 1024;
/** An engine that runs archives what it committed within moments. */
const POLL_MS = 200;

export interface LogSources {
  /** What did not come from a spool, from there on and in order of commit_seq. */
  readonly table: AsyncIterator<LogEntry>;
  readonly history: Pick<HistoryLog, 'next'>;
}

/**
 * The record log after `after` up to `upTo`, in order and without a gap: rows of the table merged with what came from spools.
 * @param patienceMs how long the history may lag behind
 * @throws SentinelError DATA_LOSS naming the first record that neither holds
 */
export async function* readLog(
  sources: LogSources,
  after: number,
  upTo: number,
  patienceMs: number,
): AsyncGenerator<LogEntry> {
  const ahead = new Ahead(sources.history, patienceMs);
  let row = await sources.table.next();
  for (let next = after + 1; next <= upTo; next += 1) {
    if (row.done !== true && row.value.commitSeq === next) {
      yield row.value;
      row = await sources.table.next();
    } else yield toEntry(await ahead.take(next));
  }
}

/** Records of the history by their place in the log. */
class Ahead {
  readonly #history: LogSources['history'];
  readonly #patienceMs: number;
  readonly #waiting = new Map<number, HistoryRecord>();
  #bytes = 0;

  constructor(history: LogSources['history'], patienceMs: number) {
    this.#history = history;
    this.#patienceMs = patienceMs;
  }

  async take(commitSeq: number): Promise<HistoryRecord> {
    let deadline = performance.now() + this.#patienceMs;
    for (;;) {
      const found = this.#waiting.get(commitSeq);
      if (found !== undefined) {
        this.#waiting.delete(commitSeq);
        this.#bytes -= found.payload.length;
        return found;
      }
      const records = await this.#history.next();
      if (records.length > 0) {
        for (const record of records) if (record.commitSeq >= commitSeq) this.#keep(record);
        deadline = performance.now() + this.#patienceMs;
      } else if (performance.now() >= deadline) throw missing(commitSeq, this.#waiting.size > 0);
      else await sleep(POLL_MS);
    }
  }

  #keep(record: HistoryRecord): void {
    this.#waiting.set(record.commitSeq, record);
    this.#bytes += record.payload.length;
    if (this.#bytes > MAX_AHEAD_BYTES) throw tooFarApart();
  }
}

/** What the engine refuses now it may have accepted then: the log says what it took. */
function toEntry({ node, spoolId, sequence, commitSeq, nowUs, payload }: HistoryRecord): LogEntry {
  return { commitSeq, nowUs, record: decodeRecord(payload, { node, spoolId }, sequence, true) };
}

function missing(commitSeq: number, later: boolean): SentinelError {
  return new SentinelError({
    code: 'DATA_LOSS',
    message: `record ${commitSeq} of the log is neither in the database nor in the history`,
    hint: later
      ? 'Later records are there: its segment was removed, or its spool is not archived yet. Look at the engine for a history that is behind.'
      : 'It is not archived yet: an agent still offers it. Try again once the engine says that the history has caught up.',
  });
}

function tooFarApart(): SentinelError {
  return new SentinelError({
    code: 'RESOURCE_EXHAUSTED',
    message: `${MAX_AHEAD_BYTES} bytes of history wait for an older record`,
    hint: 'A spool was archived much later than the others, or a segment is missing.',
  });
}
