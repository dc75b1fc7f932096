/**
 * Reads the records of a log as they lie on the disk, damaged or not, for whoever looks for damage: it writes nothing,
 * takes no lock and goes on behind a damaged frame by the commit table.
 */
import { type FileHandle, open } from 'node:fs/promises';
import {
  FRAME_HEADER_BYTES,
  type Position,
  parseFrame,
  SEGMENT_HEADER,
  segmentPath,
} from '@sentinel/service-kit/segment-log';
import { readHeader } from '../../commit/record.js';
import type { CommitTable } from './commit-table.js';
import { orUndefined } from './errno.js';
import { MAX_RECORD_BYTES } from './layout.js';

const WINDOW_BYTES = 2 ** 20;

export interface RawRecord {
  readonly commit: number;
  readonly position: Position;
  readonly bytes: Buffer;
  /** What is wrong with its frame; empty for an intact one. */
  readonly fault: string;
  /** What is wrong with the end of the file before, where it is the first of its file. */
  readonly before: string;
}

export class RawRecords {
  readonly #directory: string;
  readonly #log: 'entries' | 'details';
  readonly #table: CommitTable | undefined;
  #position: Position;
  #commit: number;
  #segment: Segment | undefined;
  /** File whose header was looked at. */
  #headerSeen = 0;

  constructor(
    directory: string,
    log: 'entries' | 'details',
    table: CommitTable | undefined,
    start: { commit: number; position: Position },
  ) {
    this.#directory = directory;
    this.#log = log;
    this.#table = table;
    this.#commit = start.commit;
    this.#position = start.position;
  }

  /** The next record; undefined at the end of what is there. */
  async next(): Promise<RawRecord | undefined> {
    let segment = await this.#enter();
    if (segment === undefined) return undefined;
    let intact = await segment.frame(this.#position.offset);
    let before = '';
    if (commitIn(intact?.record) !== this.#commit && (await this.#goesOnInNext(segment.number))) {
      before = `${this.#log} file ${segment.number} has ${segment.size - this.#position.offset} bytes behind its last record, from byte ${this.#position.offset} on`;
      this.#position = { segment: segment.number, offset: segment.size };
      segment = await this.#enter();
      if (segment === undefined) return undefined;
      intact = await segment.frame(this.#position.offset);
    }
    const { offset } = this.#position;
    const following = (await this.#table?.row(this.#commit + 1))?.[this.#log];
    const fault = await this.#headerFault(segment);
    const end = intact?.end ?? this.#endOfDamaged(segment, following);
    const bytes =
      intact?.record ?? (await segment.read(offset + FRAME_HEADER_BYTES, end - offset - FRAME_HEADER_BYTES));
    const broken = intact === undefined ? `frame of its ${this.#log} record is damaged` : '';
    const record = { commit: this.#commit, position: this.#position, bytes, fault: fault || broken, before };
    this.#commit += 1;
    this.#position = { segment: segment.number, offset: end };
    return record;
  }

  async close(): Promise<void> {
    await this.#segment?.close();
    this.#segment = undefined;
  }

  /** Of the first record that is read of a file; where a pruning made a hole it is not the first of the file. */
  async #headerFault(segment: Segment): Promise<string> {
    if (this.#headerSeen === segment.number) return '';
    this.#headerSeen = segment.number;
    return !(await segment.read(0, SEGMENT_HEADER.length)).equals(SEGMENT_HEADER)
      ? `header of ${this.#log} file ${segment.number} is damaged`
      : '';
  }

  /** Where a damaged record ends: where the next one is said to begin. */
  #endOfDamaged(segment: Segment, following: Position | undefined): number {
    const sameFile =
      following !== undefined && following.segment === segment.number && following.offset > this.#position.offset;
    return sameFile ? Math.min(following.offset, segment.size) : segment.size;
  }

  /** Whether the next record is the first one of the next file, so that what is here is none. */
  async #goesOnInNext(number: number): Promise<boolean> {
    const next = await Segment.open(this.#directory, number + 1);
    if (next === undefined) return false;
    try {
      const first = await next.frame(SEGMENT_HEADER.length);
      if (first !== undefined) return commitIn(first.record) === this.#commit;
    } finally {
      await next.close();
    }
    return (await this.#table?.row(this.#commit))?.[this.#log].segment === number + 1;
  }

  async #enter(): Promise<Segment | undefined> {
    this.#segment ??= await Segment.open(this.#directory, this.#position.segment);
    if (this.#segment === undefined || this.#position.offset < this.#segment.size) return this.#segment;
    const next = await Segment.open(this.#directory, this.#position.segment + 1);
    if (next === undefined) return undefined;
    await this.close();
    this.#segment = next;
    this.#position = { segment: next.number, offset: SEGMENT_HEADER.length };
    return next.size > SEGMENT_HEADER.length ? next : undefined;
  }
}

function commitIn(record: Buffer | undefined): number | undefined {
  try {
    return record && readHeader(record).commit;
  } catch {
    return undefined;
  }
}

/** A segment file behind a window that moves forward. */
class Segment {
  readonly number: number;
  readonly size: number;
  readonly #file: FileHandle;
  #window: Buffer = Buffer.alloc(0);
  #start = 0;

  private constructor(number: number, size: number, file: FileHandle) {
    this.number = number;
    this.size = size;
    this.#file = file;
  }

  static async open(directory: string, number: number): Promise<Segment | undefined> {
    const file = await orUndefined(open(segmentPath(directory, number), 'r'));
    return file === undefined ? undefined : new Segment(number, (await file.stat()).size, file);
  }

  /** The frame at `offset`, if it is intact. */
  async frame(offset: number): Promise<{ record: Buffer; end: number } | undefined> {
    const header = await this.read(offset, FRAME_HEADER_BYTES);
    const length = header.length < FRAME_HEADER_BYTES ? 0 : header.readUInt32BE(0);
    if (length === 0 || length > MAX_RECORD_BYTES || offset + FRAME_HEADER_BYTES + length > this.size) return undefined;
    const frame = parseFrame(await this.read(offset, FRAME_HEADER_BYTES + length), 0, MAX_RECORD_BYTES);
    return frame.kind === 'record' ? { record: frame.record, end: offset + frame.next } : undefined;
  }

  /** Bytes as far as the file has them; a view that stays valid. */
  async read(offset: number, length: number): Promise<Buffer> {
    const wanted = Math.min(length, this.size - offset);
    if (wanted <= 0) return Buffer.alloc(0);
    if (offset < this.#start || offset + wanted > this.#start + this.#window.length) {
      const window = Buffer.allocUnsafe(Math.min(Math.max(WINDOW_BYTES, wanted), this.size - offset));
      const { bytesRead } = await this.#file.read(window, 0, window.length, offset);
      this.#window = window.subarray(0, bytesRead);
      this.#start = offset;
    }
    return this.#window.subarray(offset - this.#start, offset - this.#start + wanted);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
