import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@sentinel/service-kit/logging';
import { nodeFiles, SegmentLog } from '@sentinel/service-kit/segment-log';
import { decodeHeader, decodeHistory, encodeHistory, type HistoryRecord } from './history-record.js';
import { type HistoryCursor, type HistoryEntry, type HistoryStore, parseCursor } from './history-store.js';
import { HighWater, type IndexFile, SegmentIndex } from './segment-index.js';

const MAX_SEGMENT_BYTES = 32 * 1024 * 1024;
export const MAX_RECORD_BYTES = 8 * 1024 * 1024;
/** Where a segment's first record begins: after its 8 bytes of magic. */
const FIRST_OFFSET = 8;
/** Index files of finished segments that are kept in memory. */
const MAX_CACHED_INDEXES = 8;

/**
 * History in segment files. Everything about them can be made from the files alone: the newest segment is indexed when the store
 * is opened, each finished one has an index file beside it, which is made again when it is missing.
 */
export class FileHistory implements HistoryStore {
  readonly #dir: string;
  readonly #log: Logger;
  readonly #segments: SegmentLog;
  readonly #highWater: HighWater;
  readonly #finished: number[];
  readonly #cache = new Map<number, IndexFile>();
  #current: SegmentIndex;

  private constructor(dir: string, log: Logger, segments: SegmentLog, finished: number[], highWater: HighWater) {
    this.#dir = dir;
    this.#log = log;
    this.#segments = segments;
    this.#finished = finished;
    this.#highWater = highWater;
    this.#current = new SegmentIndex(segments.end.segment);
  }

  /** @throws SentinelError when another process has the folder, or a file in it is damaged */
  static async open(dir: string, log: Logger, maxSegmentBytes = MAX_SEGMENT_BYTES): Promise<FileHistory> {
    const segments = await SegmentLog.open({ dir, maxSegmentBytes, maxRecordBytes: MAX_RECORD_BYTES });
    const finished = (await nodeFiles.list(dir)).filter((segment) => segment !== segments.end.segment);
    const history = new FileHistory(dir, log, segments, finished, new HighWater());
    await history.#recover();
    return history;
  }

  /** From the newest index file on. Index files hold all older marks, so those before it need not be read. */
  async #recover(): Promise<void> {
    let from = 0;
    for (const [i, segment] of [...this.#finished.entries()].toReversed()) {
      const index = await this.#readIndexFile(segment);
      if (index === null) continue;
      for (const [node, spoolId, sequence] of index.spools) this.#highWater.raise(node, spoolId, sequence);
      from = i + 1;
      break;
    }
    for (const segment of this.#finished.slice(from)) await this.#writeIndexFile(await this.#indexSegment(segment));
    this.#current = await this.#indexSegment(this.#segments.end.segment);
  }

  async #indexSegment(segment: number): Promise<SegmentIndex> {
    const index = new SegmentIndex(segment);
    for await (const { position, record } of this.#segments.read({ segment, offset: FIRST_OFFSET })) {
      if (position.segment !== segment) break;
      const header = decodeHeader(record);
      index.add(header, position.offset);
      this.#highWater.raise(header.node, header.spoolId, header.sequence);
    }
    return index;
  }

  archivedThrough(node: string, spoolId: string): number | null {
    return this.#highWater.of(node, spoolId);
  }

  /** Nobody else writes these files. */
  async refresh(): Promise<void> {}

  /** What fails here is writing, which the next record shows. */
  async probe(): Promise<void> {}

  async append(records: readonly HistoryRecord[]): Promise<void> {
    const fresh = records.filter(
      ({ node, spoolId, sequence }) => sequence > (this.archivedThrough(node, spoolId) ?? 0),
    );
    const positions = await this.#segments.append(fresh.map(encodeHistory));
    for (const [i, record] of fresh.entries()) {
      const position = positions[i];
      if (position === undefined) continue;
      if (position.segment !== this.#current.segment) await this.#finish(position.segment);
      this.#current.add(record, position.offset);
      this.#highWater.raise(record.node, record.spoolId, record.sequence);
    }
  }

  /** The segment is full: its index goes to a file. Without the file it is made again at the next start. */
  async #finish(next: number): Promise<void> {
    const full = this.#current;
    this.#current = new SegmentIndex(next);
    this.#finished.push(full.segment);
    await this.#writeIndexFile(full).catch((error: unknown) => {
      this.#cache.set(full.segment, full.toFile(this.#highWater.list()));
      this.#log.warn(
        { err: error, segment: full.segment },
        'the index of a history segment could not be written; it is kept in memory',
      );
    });
  }

  async *read(device: string, startUs: number, from: HistoryCursor | null): AsyncGenerator<HistoryEntry> {
    const last = from === null ? null : parsePosition(from);
    const segments = [...this.#finished, this.#current.segment].toReversed();
    for (const segment of segments) {
      if (last !== null && segment > last.segment) continue;
      const { lastUs, offsets } = await this.#offsets(segment, device);
      if (lastUs < startUs) return;
      for (const offset of offsets.toReversed()) {
        if (last !== null && segment === last.segment && offset > last.offset) continue;
        const record = decodeHistory(await this.#segments.readAt({ segment, offset }));
        // A record that was archived late stands among younger ones.
        if (record.nowUs < startUs) continue;
        yield { at: `f${segment}.${offset}`, record };
      }
    }
  }

  async #offsets(segment: number, device: string): Promise<{ lastUs: number; offsets: readonly number[] }> {
    if (segment === this.#current.segment) {
      const { lastUs } = this.#current;
      return { lastUs: lastUs === 0 ? Number.POSITIVE_INFINITY : lastUs, offsets: this.#current.offsetsOf(device) };
    }
    const index = await this.#indexFile(segment);
    return { lastUs: index.lastUs, offsets: index.devices[device] ?? [] };
  }

  async #indexFile(segment: number): Promise<IndexFile> {
    const cached = this.#cache.get(segment);
    if (cached !== undefined) return cached;
    const index =
      (await this.#readIndexFile(segment)) ?? (await this.#indexSegment(segment)).toFile(this.#highWater.list());
    this.#cache.set(segment, index);
    const [oldest] = this.#cache.keys();
    if (this.#cache.size > MAX_CACHED_INDEXES && oldest !== undefined) this.#cache.delete(oldest);
    return index;
  }

  async #readIndexFile(segment: number): Promise<IndexFile | null> {
    try {
      return JSON.parse(await readFile(this.#indexPath(segment), 'utf8')) as IndexFile;
    } catch {
      return null;
    }
  }

  async #writeIndexFile(index: SegmentIndex): Promise<void> {
    const path = this.#indexPath(index.segment);
    await writeFile(`${path}.tmp`, JSON.stringify(index.toFile(this.#highWater.list())), { flush: true });
    await rename(`${path}.tmp`, path);
  }

  #indexPath(segment: number): string {
    return join(this.#dir, `${String(segment).padStart(10, '0')}.idx`);
  }

  close(): Promise<void> {
    return this.#segments.close();
  }
}

function parsePosition(cursor: HistoryCursor): { segment: number; offset: number } {
  const [segment = 0, offset = 0] = parseCursor(cursor, /^f(\d{1,10})\.(\d{1,12})$/);
  return { segment, offset };
}
