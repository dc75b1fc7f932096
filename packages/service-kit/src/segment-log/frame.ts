import { crc32c } from '@node-rs/crc32';

/**
 * A record in a segment file: u32be length of the record (never 0) | u32be CRC-32C of the record (RFC 3720) | record.
 * A segment file starts with SEGMENT_HEADER.
 */
export const FRAME_HEADER_BYTES = 8;
export const SEGMENT_HEADER = Buffer.from('SNTLSEG1', 'ascii');

/** Header of the frame of `record`. */
export function frameHeader(record: Uint8Array): Buffer {
  const header = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
  header.writeUInt32BE(record.length, 0);
  header.writeUInt32BE(crc32c(record), 4);
  return header;
}

export type ParsedFrame =
  | { readonly kind: 'record'; readonly record: Buffer; readonly next: number }
  /** More bytes are needed: the frame ends at `needed`. */
  | { readonly kind: 'incomplete'; readonly needed: number }
  | { readonly kind: 'corrupt'; readonly why: string };

/** Parses the frame at `offset` of `buffer`. The record is a view. */
export function parseFrame(buffer: Buffer, offset: number, maxRecordBytes: number): ParsedFrame {
  const body = offset + FRAME_HEADER_BYTES;
  if (buffer.length < body) return { kind: 'incomplete', needed: body };
  const length = buffer.readUInt32BE(offset);
  if (length === 0 || length > maxRecordBytes) return { kind: 'corrupt', why: `record length ${length} is impossible` };
  const next = body + length;
  if (buffer.length < next) return { kind: 'incomplete', needed: next };
  const record = buffer.subarray(body, next);
  if (crc32c(record) !== buffer.readUInt32BE(offset + 4)) return { kind: 'corrupt', why: 'checksum does not match' };
  return { kind: 'record', record, next };
}
