import type { FileHandle } from 'node:fs/promises';
import type { DirectoryLock } from '../directory-lock.js';
import { SentinelError } from '../errors.js';
import { corruptError, ioError, overloadedError } from './failures.js';
import { nodeFiles, type SegmentFiles, segmentPath } from './files.js';
import { FRAME_HEADER_BYTES, frameHeader, parseFrame, SEGMENT_HEADER } from './frame.js';
import { findTail } from './recover.js';

/** Bytes that one group commit writes at most; what waits beyond goes into the next group. */
const MAX_GROUP_BYTES = 16 * 1024 * 1024;
/** Bytes that may wait for the disk; whoever appends beyond is turned away. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** Buffers of one writev call (IOV_MAX is 1024). */
const MAX_IOVECS = 1024;
/** Bytes read at once while iterating, and for a single record before its length is known. */
const READ_CHUNK_BYTES = 1024 * 1024;
const READ_ONE_BYTES = 32 * 1024;

export interface SegmentLogOptions {
  readonly dir: string;
  /** A new file is begun when the newest has reached this size. */
  readonly maxSegmentBytes: number;
  readonly maxRecordBytes: number;
  readonly files?: SegmentFiles;
  /** What lies before is known to be durable: damage there is an error, never a tail to cut off. */
  readonly durableEnd?: Position;
  /** Where the first record begins, if those before it were given up. */
  readonly start?: Position;
}

/** Where a record begins. Ordered by segment, then offset. */
export interface Position {
  readonly segment: number;
  readonly offset: number;
}

export interface LogRecord {
  readonly position: Position;
  readonly record: Buffer;
}

/** The segment that is being written; records end at `end`. */
interface OpenSegment {
  readonly segment: number;
  readonly handle: FileHandle;
  end: number;
}

interface Waiting {
  readonly records: readonly Uint8Array[];
  readonly bytes: number;
  readonly resolve: (positions: Position[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * An append-only log of byte records in a directory, for one process at a time. What `append` has resolved for survives kill -9 and
 * power loss. After a failed fsync nothing more is accepted: the page cache no longer tells what the disk holds.
 */
export class SegmentLog {
  readonly #options: SegmentLogOptions;
  readonly #files: SegmentFiles;
  readonly #lock: DirectoryLock;
  /** Whole size of each segment, oldest first; the last one is being written. */
  readonly #sizes: Map<number, number>;
  #current: OpenSegment;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | null = null;
  /** Where the first record begins. */
  #start: Position;
  /** The newest file is to be left as it is: those who wait for that. */
  #rotations: PromiseWithResolvers<void>[] = [];
  #poison: SentinelError | null = null;
  #closed = false;

  private constructor(
    options: SegmentLogOptions,
    lock: DirectoryLock,
    sizes: Map<number, number>,
    current: OpenSegment,
  ) {
    this.#options = options;
    this.#files = options.files ?? nodeFiles;
    this.#lock = lock;
    this.#sizes = sizes;
    this.#current = current;
    this.#start = options.start ?? { segment: 1, offset: SEGMENT_HEADER.length };
  }

  /**
   * Opens or creates the log and cuts off what a crash left unfinished at its very end.
   * @throws SentinelError FAILED_PRECONDITION while another process has it, DATA_LOSS naming file and offset of damage elsewhere
   */
  static async open(options: SegmentLogOptions): Promise<SegmentLog> {
    const files = options.files ?? nodeFiles;
    const lock = await files.claim(options.dir);
    try {
      const segments = await files.list(options.dir);
      const sizes = new Map<number, number>();
      for (const segment of segments.slice(0, -1)) sizes.set(segment, await segmentSize(files, options.dir, segment));
      const newest = segments.at(-1);
      if ((newest ?? 0) < (options.durableEnd?.segment ?? 0)) {
        throw corruptError(segmentPath(options.dir, options.durableEnd?.segment ?? 0), 0, 'the file is missing');
      }
      const current =
        newest === undefined
          ? await createSegment(files, options.dir, 1)
          : await recoverSegment(files, options, newest);
      sizes.set(current.segment, current.end);
      return new SegmentLog(options, lock, sizes, current);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Where the next record will begin (or the file after, when this one is full). */
  get end(): Position {
    return { segment: this.#current.segment, offset: this.#current.end };
  }

  /** Where the log will end once these records are appended, if no others are before and no file is left meanwhile. */
  endAfter(records: readonly Uint8Array[]): Position {
    const { segment, offset } = this.end;
    const full = offset >= this.#options.maxSegmentBytes;
    const framed = records.reduce((sum, { length }) => sum + FRAME_HEADER_BYTES + length, 0);
    return full
      ? { segment: segment + 1, offset: SEGMENT_HEADER.length + framed }
      : { segment, offset: offset + framed };
  }

  /** Size of all segments on disk. */
  get bytes(): number {
    let total = 0;
    for (const size of this.#sizes.values()) total += size;
    return total;
  }

  /**
   * Appends records, in order, durable when resolved; concurrent calls share one fsync. The buffers must not be changed before.
   * @returns the position of each record
   * @throws SentinelError RESOURCE_EXHAUSTED when the disk is full or too much waits for it (nothing was kept, a later try may succeed), UNAVAILABLE after an I/O error
   */
  append(records: readonly Uint8Array[]): Promise<Position[]> {
    if (this.#poison !== null) return Promise.reject(this.#poison);
    if (this.#closed)
      return Promise.reject(
        new SentinelError({ code: 'UNAVAILABLE', message: `the log in ${this.#options.dir} is closed` }),
      );
    for (const record of records) {
      if (record.length === 0 || record.length > this.#options.maxRecordBytes) {
        return Promise.reject(
          new RangeError(`a record of ${record.length} bytes is not within 1..${this.#options.maxRecordBytes}`),
        );
      }
    }
    if (records.length === 0) return Promise.resolve([]);
    if (this.#waitingBytes > MAX_WAITING_BYTES) return Promise.reject(overloadedError(this.#options.dir));
    const { promise, resolve, reject } = Promise.withResolvers<Position[]>();
    const bytes = records.reduce((sum, record) => sum + record.length, 0);
    this.#waiting.push({ records, bytes, resolve, reject });
    this.#waitingBytes += bytes;
    this.#writing ??= this.#writeGroups();
    return promise;
  }

  async #writeGroups(): Promise<void> {
    while (this.#waiting.length > 0 || this.#rotations.length > 0) {
      if (this.#rotations.length > 0) await this.#leaveNewest(this.#rotations.splice(0));
      if (this.#waiting.length === 0) continue;
      const group = this.#takeGroup();
      try {
        const positions = await this.#writeGroup(group);
        group.forEach((waiting, i) => {
          waiting.resolve(positions[i] ?? []);
        });
      } catch (error) {
        for (const waiting of group) waiting.reject(error);
        if (this.#poison !== null) for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#poison);
      }
    }
    this.#writing = null;
  }

  #takeGroup(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const waiting of this.#waiting) {
      if (count > 0 && bytes + waiting.bytes > MAX_GROUP_BYTES) break;
      bytes += waiting.bytes;
      count += 1;
    }
    this.#waitingBytes -= bytes;
    return this.#waiting.splice(0, count);
  }

  async #writeGroup(group: readonly Waiting[]): Promise<Position[][]> {
    if (this.#current.end >= this.#options.maxSegmentBytes) await this.#rotate();
    const { segment, handle, end } = this.#current;
    const buffers: Uint8Array[] = [];
    let offset = end;
    const positions = group.map(({ records }) =>
      records.map((record) => {
        const position = { segment, offset };
        buffers.push(frameHeader(record), record);
        offset += FRAME_HEADER_BYTES + record.length;
        return position;
      }),
    );
    await this.#write(handle, buffers, end);
    await handle.datasync().catch((cause: unknown) => this.#poisoned(cause));
    this.#current.end = offset;
    this.#sizes.set(segment, offset);
    return positions;
  }

  /** A write that fails (disk full) is taken back, so that the next one finds a whole end; where that fails too, the log is lost. */
  async #write(handle: FileHandle, buffers: readonly Uint8Array[], at: number): Promise<void> {
    let position = at;
    try {
      for (let i = 0; i < buffers.length; i += MAX_IOVECS) {
        const part = buffers.slice(i, i + MAX_IOVECS);
        const wanted = part.reduce((sum, buffer) => sum + buffer.length, 0);
        const { bytesWritten } = await handle.writev(part, position);
        if (bytesWritten !== wanted)
          throw Object.assign(new Error(`wrote ${bytesWritten} of ${wanted} bytes`), { code: 'ENOSPC' });
        position += wanted;
      }
    } catch (cause) {
      await handle.truncate(at).catch((again: unknown) => this.#poisoned(again));
      throw ioError(this.#options.dir, cause);
    }
  }

  async #rotate(): Promise<void> {
    const full = this.#current.handle;
    this.#current = await createSegment(this.#files, this.#options.dir, this.#current.segment + 1).catch(
      (cause: unknown) => {
        throw ioError(this.#options.dir, cause);
      },
    );
    this.#sizes.set(this.#current.segment, this.#current.end);
    await full.close();
  }

  #poisoned(cause: unknown): never {
    this.#poison = new SentinelError({
      code: 'UNAVAILABLE',
      message: `the log in ${this.#options.dir} failed and takes nothing more (${(cause as Error).message})`,
      hint: 'Check the disk, then restart the service: it continues from what is durable.',
      cause,
    });
    throw this.#poison;
  }

  /**
   * Durable records from `from` on (default: the oldest), in order, up to the end at the time of the call.
   * @throws SentinelError DATA_LOSS naming file and offset when a record is damaged
   */
  async *read(from?: Position): AsyncGenerator<LogRecord> {
    const until = this.end;
    const first = from ?? this.#start;
    for (const [segment, size] of [...this.#sizes]) {
      if (segment > until.segment || segment < first.segment) continue;
      const start = segment === first.segment ? first.offset : SEGMENT_HEADER.length;
      yield* this.#readSegment(segment, start, segment === until.segment ? until.offset : size);
    }
  }

  async *#readSegment(
    segment: number,
    start: number,
    end: number,
    firstChunk = READ_CHUNK_BYTES,
  ): AsyncGenerator<LogRecord> {
    const handle = await this.#files.open(this.#options.dir, segment, 'r');
    try {
      let offset = start;
      let chunkBytes = firstChunk;
      while (offset < end) {
        const { buffer, bytesRead } = await handle.read(
          Buffer.allocUnsafe(Math.min(chunkBytes, end - offset)),
          0,
          undefined,
          offset,
        );
        if (bytesRead === 0)
          throw corruptError(segmentPath(this.#options.dir, segment), offset, 'the file is shorter than its records');
        const chunk = buffer.subarray(0, bytesRead);
        let at = 0;
        for (;;) {
          const frame = parseFrame(chunk, at, this.#options.maxRecordBytes);
          if (frame.kind === 'corrupt')
            throw corruptError(segmentPath(this.#options.dir, segment), offset + at, frame.why);
          if (frame.kind === 'incomplete') {
            if (offset + frame.needed > end && at === 0 && bytesRead === end - offset) {
              throw corruptError(segmentPath(this.#options.dir, segment), offset, 'the record goes beyond the end');
            }
            chunkBytes = Math.max(READ_CHUNK_BYTES, frame.needed - at);
            break;
          }
          yield { position: { segment, offset: offset + at }, record: frame.record };
          at = frame.next;
          if (at === chunk.length) break;
        }
        offset += at;
      }
    } finally {
      await handle.close();
    }
  }

  /** The record at a position that `append` or `read` gave. */
  async readAt(position: Position): Promise<Buffer> {
    const end = this.#sizes.get(position.segment) ?? 0;
    for await (const { record } of this.#readSegment(position.segment, position.offset, end, READ_ONE_BYTES))
      return record;
    throw corruptError(segmentPath(this.#options.dir, position.segment), position.offset, 'no record begins there');
  }

  /** Deletes whole segments that end before `position`. */
  async dropBefore(position: Position): Promise<void> {
    const old = [...this.#sizes.keys()].filter(
      (segment) => segment < position.segment && segment !== this.#current.segment,
    );
    for (const segment of old) {
      await this.#files.remove(this.#options.dir, segment);
      this.#sizes.delete(segment);
    }
    if (old.length > 0) await this.#files.syncDirectory(this.#options.dir);
  }

  /**
   * Gives the room of every record before `position` back: whole files are deleted, and the one in which it lies is replaced
   * by one with a hole. Appends go on meanwhile. To be repeated after a crash; the log is opened with `start` from then on.
   */
  async giveUpBefore(position: Position): Promise<void> {
    this.#start = position;
    if (position.segment === this.#current.segment) await this.#rotateSoon();
    await this.dropBefore(position);
    if (position.offset > SEGMENT_HEADER.length) await this.#punch(position);
  }

  #rotateSoon(): Promise<void> {
    const rotation = Promise.withResolvers<void>();
    this.#rotations.push(rotation);
    this.#writing ??= this.#writeGroups();
    return rotation.promise;
  }

  async #leaveNewest(asking: readonly PromiseWithResolvers<void>[]): Promise<void> {
    try {
      if (this.#closed || this.#poison !== null) throw this.#poison ?? ioError(this.#options.dir, new Error('closed'));
      await this.#rotate();
      for (const { resolve } of asking) resolve();
    } catch (error) {
      for (const { reject } of asking) reject(error);
    }
  }

  /** Bytes that were never written take no room: the copy holds the header and what begins at `position`. */
  async #punch({ segment, offset }: Position): Promise<void> {
    const { dir } = this.#options;
    const source = await this.#files.open(dir, segment, 'r');
    const draft = await this.#files.openDraft(dir, segment);
    try {
      await draft.write(SEGMENT_HEADER, 0, SEGMENT_HEADER.length, 0);
      const chunk = Buffer.allocUnsafe(READ_CHUNK_BYTES);
      for (let at = offset; ; ) {
        const { bytesRead } = await source.read(chunk, 0, chunk.length, at);
        if (bytesRead === 0) break;
        const { bytesWritten } = await draft.write(chunk, 0, bytesRead, at);
        at += bytesWritten;
      }
      await draft.sync();
    } catch (cause) {
      throw ioError(dir, cause);
    } finally {
      await source.close();
      await draft.close();
    }
    await this.#files.replace(dir, segment);
    await this.#files.syncDirectory(dir);
  }

  /** Durably removes every record from `position` on: what a crash left behind a commit point that was never reached. No append may be under way. */
  async truncate(position: Position): Promise<void> {
    const newer = [...this.#sizes.keys()].filter((segment) => segment > position.segment);
    if (newer.length > 0) {
      await this.#current.handle.close();
      for (const segment of newer.toReversed()) {
        await this.#files.remove(this.#options.dir, segment);
        this.#sizes.delete(segment);
      }
      await this.#files.syncDirectory(this.#options.dir);
      this.#current = {
        segment: position.segment,
        handle: await this.#files.open(this.#options.dir, position.segment, 'r+'),
        end: position.offset,
      };
    }
    await this.#current.handle.truncate(position.offset);
    await this.#current.handle.sync();
    this.#current.end = position.offset;
    this.#sizes.set(position.segment, position.offset);
  }

  /** Waits for appends under way and gives the directory free. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#writing;
    await this.#current.handle.close();
    await this.#lock.release();
  }
}

async function createSegment(files: SegmentFiles, dir: string, segment: number): Promise<OpenSegment> {
  const handle = await files.open(dir, segment, 'wx+');
  try {
    await handle.write(SEGMENT_HEADER, 0, SEGMENT_HEADER.length, 0);
    await handle.sync();
    await files.syncDirectory(dir);
  } catch (error) {
    await handle.close();
    await files.remove(dir, segment);
    throw error;
  }
  return { segment, handle, end: SEGMENT_HEADER.length };
}

async function segmentSize(files: SegmentFiles, dir: string, segment: number): Promise<number> {
  const handle = await files.open(dir, segment, 'r');
  try {
    const { buffer } = await handle.read(Buffer.alloc(SEGMENT_HEADER.length), 0, SEGMENT_HEADER.length, 0);
    if (!buffer.equals(SEGMENT_HEADER)) throw corruptError(segmentPath(dir, segment), 0, 'not a segment file');
    return (await handle.stat()).size;
  } finally {
    await handle.close();
  }
}

async function recoverSegment(files: SegmentFiles, options: SegmentLogOptions, segment: number): Promise<OpenSegment> {
  const handle = await files.open(options.dir, segment, 'r+');
  try {
    const content = await handle.readFile();
    const header = content.subarray(0, SEGMENT_HEADER.length);
    if (content.length >= SEGMENT_HEADER.length && !header.equals(SEGMENT_HEADER)) {
      throw corruptError(segmentPath(options.dir, segment), 0, 'not a segment file');
    }
    const start = options.start?.segment === segment ? options.start.offset : SEGMENT_HEADER.length;
    const tail = findTail(content, options.maxRecordBytes, start);
    if (tail.kind === 'corrupt') throw corruptError(segmentPath(options.dir, segment), tail.offset, tail.why);
    const end = Math.max(tail.end, SEGMENT_HEADER.length);
    const { durableEnd } = options;
    if (durableEnd?.segment === segment && end < durableEnd.offset) {
      throw corruptError(segmentPath(options.dir, segment), end, 'a record that was durable is not whole');
    }
    if (tail.end === 0) await handle.write(SEGMENT_HEADER, 0, SEGMENT_HEADER.length, 0);
    if (content.length !== end) await handle.truncate(end);
    await handle.sync();
    return { segment, handle, end };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
