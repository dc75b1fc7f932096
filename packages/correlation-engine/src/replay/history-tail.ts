import type { FileHandle } from 'node:fs/promises';
import { SentinelError } from '@sentinel/service-kit/errors';
import { nodeFiles, parseFrame, SEGMENT_HEADER, segmentPath } from '@sentinel/service-kit/segment-log';
import { MAX_RECORD_BYTES } from '../store/history/file-history.js';
import { decodeHistory, type HistoryRecord } from '../store/history/history-record.js';
import type { HistoryLog } from '../store/history/history-store.js';

/** Bytes read at once, unless one record is longer. */
const CHUNK_BYTES = 1024 * 1024;

/**
 * Reads the history's segment files from the oldest on, also while an engine appends to them: takes no lock and writes nothing.
 * At the present end `next` answers [], and later what was added since.
 */
export class HistoryTail implements HistoryLog {
  readonly #dir: string;
  #segment = 0;
  #offset = SEGMENT_HEADER.length;
  #handle: FileHandle | null = null;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /**
   * The next records, in the order of the files; [] = no more for now.
   * @throws SentinelError DATA_LOSS naming file and offset of a damaged record, NOT_FOUND without the folder
   */
  async next(): Promise<HistoryRecord[]> {
    for (;;) {
      const records = await this.#read();
      if (records.length > 0) return records;
      // A file is left only once there is a newer one: then nothing is added to it any more.
      const newer = await this.#newerSegment();
      if (newer === undefined) return [];
      const last = await this.#read();
      if (last.length > 0) return last;
      await this.#mustBeWhole();
      await this.close();
      this.#segment = newer;
      this.#offset = SEGMENT_HEADER.length;
    }
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = null;
  }

  async #read(): Promise<HistoryRecord[]> {
    if (this.#segment === 0) return [];
    this.#handle ??= await nodeFiles.open(this.#dir, this.#segment, 'r');
    let chunk = await this.#chunk(CHUNK_BYTES);
    const first = parseFrame(chunk, 0, MAX_RECORD_BYTES);
    if (first.kind === 'incomplete') chunk = await this.#chunk(first.needed);
    const records: HistoryRecord[] = [];
    let at = 0;
    for (;;) {
      const frame = parseFrame(chunk, at, MAX_RECORD_BYTES);
      // At the end of the newest file a record may be half written still: it is tried again.
      if (frame.kind !== 'record') break;
      records.push(decodeHistory(frame.record));
      at = frame.next;
    }
    this.#offset += at;
    return records;
  }

  async #chunk(bytes: number): Promise<Buffer> {
    const { buffer, bytesRead } = (await this.#handle?.read(Buffer.allocUnsafe(bytes), 0, bytes, this.#offset)) ?? {
      buffer: Buffer.alloc(0),
      bytesRead: 0,
    };
    return buffer.subarray(0, bytesRead);
  }

  async #mustBeWhole(): Promise<void> {
    const size = (await this.#handle?.stat())?.size ?? this.#offset;
    if (this.#handle === null || size === this.#offset) return;
    throw new SentinelError({
      code: 'DATA_LOSS',
      message: `${segmentPath(this.#dir, this.#segment)} is damaged at offset ${this.#offset}`,
      hint: 'The log cannot be replayed beyond this record: restore the file from a backup.',
    });
  }

  async #newerSegment(): Promise<number | undefined> {
    try {
      return (await nodeFiles.list(this.#dir)).find((segment) => segment > this.#segment);
    } catch (cause) {
      throw new SentinelError({
        code: 'NOT_FOUND',
        message: `there is no history in ${this.#dir}`,
        field: 'correlation_engine.history.url',
        hint: 'Name the configuration of the engine that wrote the log.',
        cause,
      });
    }
  }
}
