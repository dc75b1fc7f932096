import { FRAME_HEADER_BYTES, parseFrame, SEGMENT_HEADER } from './frame.js';

export type Tail =
  /** Every byte up to `end` belongs to whole records; what follows, if anything, was never acknowledged. */
  | { readonly kind: 'whole'; readonly end: number }
  /** A record inside the file is damaged although later ones are whole: not a torn write. */
  | { readonly kind: 'corrupt'; readonly offset: number; readonly why: string };

/**
 * Finds the end of the whole records of the newest segment. A write that was cut short leaves its damage at the very end; damage
 * that is followed by a whole record must not be cut off silently, as that record may have been acknowledged.
 */
export function findTail(content: Buffer, maxRecordBytes: number): Tail {
  if (content.length < SEGMENT_HEADER.length) return { kind: 'whole', end: 0 };
  let offset = SEGMENT_HEADER.length;
  while (offset < content.length) {
    const frame = parseFrame(content, offset, maxRecordBytes);
    if (frame.kind === 'record') offset = frame.next;
    else if (frame.kind === 'corrupt' && wholeRecordFollows(content, offset, maxRecordBytes)) {
      return { kind: 'corrupt', offset, why: frame.why };
    } else break;
  }
  return { kind: 'whole', end: offset };
}

function wholeRecordFollows(content: Buffer, offset: number, maxRecordBytes: number): boolean {
  const length = content.readUInt32BE(offset);
  const next = offset + FRAME_HEADER_BYTES + length;
  return length > 0 && next < content.length && parseFrame(content, next, maxRecordBytes).kind === 'record';
}
