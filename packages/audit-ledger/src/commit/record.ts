/**
 * What one commit stores: a record of leaves and, beside it so that it can be pruned, a record of details. Both hold the
 * very bytes that are hashed.
 *
 *     header  = u8 format=1 | u64 commit | u64 epoch | 16B batch_id | u64 first_seq | u32 count      (big-endian)
 *     entries = header, then per entry u16 length | 0x00 leaf
 *     details = header, then per entry u32 length | 0x02 salt detail
 */
import { COMMIT_PREFIX, SALT_BYTES } from '../detail/commitment.js';
import { LEAF_PREFIX } from '../tree/hash.js';

export const RECORD_HEADER_BYTES = 1 + 8 + 8 + 16 + 8 + 4;
const RECORD_FORMAT = 1;

export interface BatchHeader {
  /** Number of this commit, gap-free from 0; also the index of both records in their logs. */
  readonly commit: number;
  /** Fencing epoch of the writer. */
  readonly epoch: number;
  readonly batchId: Uint8Array;
  readonly firstSeq: number;
  readonly count: number;
}

export class MalformedRecordError extends Error {
  override readonly name = 'MalformedRecordError';
}

export function writeHeader(into: Buffer, header: BatchHeader): number {
  into[0] = RECORD_FORMAT;
  into.writeBigUInt64BE(BigInt(header.commit), 1);
  into.writeBigUInt64BE(BigInt(header.epoch), 9);
  into.set(header.batchId, 17);
  into.writeBigUInt64BE(BigInt(header.firstSeq), 33);
  return into.writeUInt32BE(header.count, 41);
}

export function readHeader(record: Uint8Array): BatchHeader {
  const bytes = view(record);
  if (bytes.length < RECORD_HEADER_BYTES || bytes[0] !== RECORD_FORMAT)
    throw new MalformedRecordError('record header is malformed');
  const header = {
    commit: Number(bytes.readBigUInt64BE(1)),
    epoch: Number(bytes.readBigUInt64BE(9)),
    batchId: bytes.subarray(17, 33),
    firstSeq: Number(bytes.readBigUInt64BE(33)),
    count: bytes.readUInt32BE(41),
  };
  if (![header.commit, header.epoch, header.firstSeq].every(Number.isSafeInteger)) {
    throw new MalformedRecordError('record header holds an integer beyond 2^53');
  }
  return header;
}

/** Leaf preimages (0x00 | leaf) of an entries record, as views. */
export function entryPreimages(record: Uint8Array): Uint8Array[] {
  return split(view(record), 2, LEAF_PREFIX, 1);
}

/** Where each leaf preimage of an entries record lies. */
export function eachEntry(record: Buffer, visit: (start: number, end: number) => void): void {
  walk(record, 2, LEAF_PREFIX, 1, visit);
}

/** Commitment preimages (0x02 | salt | detail) of a details record, as views. */
export function detailPreimages(record: Uint8Array): Uint8Array[] {
  return split(view(record), 4, COMMIT_PREFIX, 1 + SALT_BYTES);
}

/** Items with their lengths in front. */
export function joinItems(items: readonly Uint8Array[], lengthBytes: number): Buffer {
  return Buffer.concat(
    items.flatMap((item) => {
      const length = Buffer.alloc(lengthBytes);
      length.writeUIntBE(item.length, 0, lengthBytes);
      return [length, item];
    }),
  );
}

function split(record: Buffer, lengthBytes: 2 | 4, prefix: number, minimum: number): Uint8Array[] {
  const items: Uint8Array[] = [];
  walk(record, lengthBytes, prefix, minimum, (start, end) => items.push(record.subarray(start, end)));
  return items;
}

function walk(
  record: Buffer,
  lengthBytes: 2 | 4,
  prefix: number,
  minimum: number,
  visit: (start: number, end: number) => void,
): void {
  const { count } = readHeader(record);
  let found = 0;
  let offset = RECORD_HEADER_BYTES;
  while (offset + lengthBytes <= record.length) {
    const start = offset + lengthBytes;
    offset = start + (lengthBytes === 2 ? record.readUInt16BE(offset) : record.readUInt32BE(offset));
    if (offset > record.length || offset - start < minimum || record[start] !== prefix) {
      throw new MalformedRecordError(`item ${found} of the record is malformed`);
    }
    visit(start, offset);
    found += 1;
  }
  if (offset !== record.length || found !== count)
    throw new MalformedRecordError('record does not hold what its header says');
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
