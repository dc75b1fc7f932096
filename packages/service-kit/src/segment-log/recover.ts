import { FRAME_HEADER_BYTES, parseFrame, SEGMENT_HEADER } from './frame.js';

/** How far behind a damaged length the next whole record is looked for; damage there in a longer record needs a known durable end. */
const SEARCH_BYTES = 64 * 1024;

export type Tail =
  /** Every byte up to `end` belongs to whole records; what follows, if anything, was never acknowledged. */
  | { readonly kind: 'whole'; readonly end: number }
  /** A record inside the file is damaged although later ones are whole: not a torn write. */
  | { readonly kind: 'corrupt'; readonly offset: number; readonly why: string };

/**
 * Finds the end of the whole records of the newest segment. A write that was cut short leaves its damage at the very end; damage
 * that is followed by a whole record must not be cut off silently, as that record may have been acknowledged.
 * `start`: where the first record begins.
 */
export function findTail(content: Buffer, maxRecordBytes: number, start: number = SEGMENT_HEADER.length): Tail {
  if (content.length < SEGMENT_HEADER.length) return { kind: 'whole', end: 0 };
  let offset = start;
  while (offset < content.length) {
    const frame = parseFrame(content, offset, maxRecordBytes);
    if (frame.kind !== 'record') {
      if (!wholeRecordFollows(content, offset, maxRecordBytes)) break;
      return {
        kind: 'corrupt',
        offset,
        why: frame.kind === 'corrupt' ? frame.why : 'the record is longer than the file',
      };
    }
    offset = frame.next;
  }
  return { kind: 'whole', end: offset };
}

/** Whether a whole record lies behind the damaged one: where its length says, or nearby if the length itself may be damaged. */
function wholeRecordFollows(content: Buffer, offset: number, maxRecordBytes: number): boolean {
  const body = offset + FRAME_HEADER_BYTES;
  // A header of zeros is room that the file system had given, and that was never written.
  if (content.length <= body || content.subarray(offset, body).every((byte) => byte === 0)) return false;
  const isRecord = (at: number): boolean => parseFrame(content, at, maxRecordBytes).kind === 'record';
  if (isRecord(body + content.readUInt32BE(offset))) return true;
  const last = Math.min(content.length - FRAME_HEADER_BYTES - 1, body + SEARCH_BYTES);
  for (let at = body + 1; at <= last; at += 1) if (isRecord(at)) return true;
  return false;
}
