/** The record of a commit made again out of items that are right. What of it only the record itself says, its checksum vouches for. */
import { FRAME_HEADER_BYTES, frameHeader } from '@sentinel/service-kit/segment-log';
import { type BatchHeader, RECORD_HEADER_BYTES, writeHeader } from '../../commit/record.js';

/** What the header of a record must say. */
export type KnownHeader = Pick<BatchHeader, 'commit' | 'firstSeq' | 'count'>;

/**
 * The frame of the record, or undefined where epoch and batch id cannot be told.
 * @param stored frame header and record header as they are stored
 * @param twin header of the record beside it, of the same batch
 */
export function rebuiltFrame(
  stored: Buffer,
  known: KnownHeader,
  items: Buffer,
  twin: Buffer | undefined,
): Buffer | undefined {
  const checksum = stored.subarray(4, FRAME_HEADER_BYTES);
  const header = stored.subarray(FRAME_HEADER_BYTES);
  const candidates = [header, twin ?? Buffer.alloc(0)].flatMap((each) => corrected(each, known) ?? []);
  const proven = [...candidates, ...candidates.flatMap(neighbours)].find((each) =>
    checksumOf(Buffer.concat([each, items])).equals(checksum),
  );
  // Where the checksum is what is damaged the headers have to agree, as far as there are two.
  const [only] = candidates.every((each) => each.equals(candidates[0] ?? header)) ? candidates : [];
  const record = proven ?? only;
  if (record === undefined) return undefined;
  const whole = Buffer.concat([record, items]);
  return Buffer.concat([frameHeader(whole), whole]);
}

function checksumOf(record: Buffer): Buffer {
  return frameHeader(record).subarray(4);
}

/** The header with what is known of it. */
function corrected(header: Buffer, known: KnownHeader): Buffer | undefined {
  if (header.length < RECORD_HEADER_BYTES) return undefined;
  const fixed = Buffer.from(header);
  writeHeader(fixed, { epoch: 0, batchId: header.subarray(17, 33), ...known });
  header.copy(fixed, 9, 9, 17);
  return fixed;
}

/** One bit of the epoch or of the batch id is another. */
function neighbours(header: Buffer): Buffer[] {
  return Array.from({ length: (33 - 9) * 8 }, (_, bit) => {
    const other = Buffer.from(header);
    const at = 9 + (bit >> 3);
    other[at] = (other[at] ?? 0) ^ (1 << (bit & 7));
    return other;
  });
}
