/** Single records of a segment log that another process writes: no lock, no recovery. */
import { open } from 'node:fs/promises';
import { FRAME_HEADER_BYTES, type Position, parseFrame, segmentPath } from '@sentinel/service-kit/segment-log';
import { MalformedRecordError } from '../../commit/record.js';
import { orUndefined } from './errno.js';
import { MAX_RECORD_BYTES } from './layout.js';

export class FrameFiles {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The record that begins at `position`. @throws MalformedRecordError */
  async readAt({ segment, offset }: Position): Promise<Buffer> {
    const path = segmentPath(this.#directory, segment);
    const file = await orUndefined(open(path, 'r'));
    if (file === undefined) throw new MalformedRecordError(`${path} is missing`);
    try {
      const header = Buffer.alloc(FRAME_HEADER_BYTES);
      await file.read(header, 0, header.length, offset);
      const length = header.readUInt32BE(0);
      if (length === 0 || length > MAX_RECORD_BYTES) throw damaged(path, offset);
      const bytes = Buffer.concat([header, Buffer.alloc(length)]);
      await file.read(bytes, header.length, length, offset + header.length);
      const frame = parseFrame(bytes, 0, MAX_RECORD_BYTES);
      if (frame.kind !== 'record') throw damaged(path, offset);
      return frame.record;
    } finally {
      await file.close();
    }
  }
}

function damaged(path: string, offset: number): MalformedRecordError {
  return new MalformedRecordError(`${path} is damaged at byte ${offset}`);
}
