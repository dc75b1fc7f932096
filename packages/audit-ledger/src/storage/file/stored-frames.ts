/** Frames of a record log as they lie in its files, by position: damaged, cut short or lost. */
import { type FileHandle, open } from 'node:fs/promises';
import { FRAME_HEADER_BYTES, type Position, segmentPath } from '@sentinel/service-kit/segment-log';
import { RECORD_HEADER_BYTES } from '../../commit/record.js';
import { orUndefined } from './errno.js';

export interface FrameHead {
  readonly position: Position;
  /** Bytes of the record as the frame states them. */
  readonly length: number;
  /** Header of the record as it is stored; empty where the file ends before. */
  readonly header: Buffer;
}

export class StoredFrames {
  readonly directory: string;
  #file: { readonly segment: number; readonly handle: FileHandle | undefined } | undefined;

  constructor(directory: string) {
    this.directory = directory;
  }

  pathOf(segment: number): string {
    return segmentPath(this.directory, segment);
  }

  /** What the frame at a position says of itself. */
  async head(position: Position): Promise<FrameHead> {
    const bytes = await this.read(position, FRAME_HEADER_BYTES + RECORD_HEADER_BYTES);
    const whole = bytes.length === FRAME_HEADER_BYTES + RECORD_HEADER_BYTES;
    const length = whole ? bytes.readUInt32BE(0) : 0;
    return { position, length, header: whole ? bytes.subarray(FRAME_HEADER_BYTES) : Buffer.alloc(0) };
  }

  /** As far as the file has them. */
  async read({ segment, offset }: Position, count: number): Promise<Buffer> {
    const handle = await this.#open(segment);
    const bytes = Buffer.alloc(count);
    if (handle === undefined) return bytes.subarray(0, 0);
    const { bytesRead } = await handle.read(bytes, 0, count, offset);
    return bytes.subarray(0, bytesRead);
  }

  async close(): Promise<void> {
    await this.#file?.handle?.close();
    this.#file = undefined;
  }

  async #open(segment: number): Promise<FileHandle | undefined> {
    if (this.#file?.segment === segment && this.#file.handle !== undefined) return this.#file.handle;
    await this.close();
    this.#file = { segment, handle: await orUndefined(open(this.pathOf(segment), 'r')) };
    return this.#file.handle;
  }
}
