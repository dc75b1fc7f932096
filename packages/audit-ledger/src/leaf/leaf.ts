/**
 * The leaf: the bytes of one log entry. All integers are big-endian.
 *
 *     u8 version=1 | u8 type | u16 flags | u64 seq | u64 received_us | u64 event_us | 16B event_id
 *     | lp8 producer | lp8 gpu | u32 detail_len | 32B detail_commit | 32B prev
 *
 * lp8 is a length byte followed by that many bytes of UTF-8.
 */
import { isUtf8 } from 'node:buffer';

export const LEAF_VERSION = 1;
export const EVENT_ID_BYTES = 16;
export const MAX_LP8_BYTES = 255;

const FIXED_HEAD_BYTES = 1 + 1 + 2 + 8 + 8 + 8 + EVENT_ID_BYTES;
const FIXED_TAIL_BYTES = 4 + 32 + 32;
export const MAX_LEAF_BYTES = FIXED_HEAD_BYTES + 2 * (1 + MAX_LP8_BYTES) + FIXED_TAIL_BYTES;

export const LeafType = {
  probe: 1,
  anomaly: 2,
  decision: 3,
  agreement: 4,
  configuration: 5,
  system: 6,
  approval: 7,
} as const;
export type LeafType = (typeof LeafType)[keyof typeof LeafType];

export const LeafFlag = { saltedDetail: 1, injected: 2 } as const;
const KNOWN_FLAGS = LeafFlag.saltedDetail | LeafFlag.injected;

export interface Leaf {
  readonly type: LeafType;
  /** Made from a test build. */
  readonly injected: boolean;
  /** Index in the Merkle tree, gap-free from 0. */
  readonly seq: number;
  /** Ledger clock, microseconds since the Unix epoch; never decreases along the log. */
  readonly receivedUs: number;
  /** Producer clock, microseconds since the Unix epoch. */
  readonly eventUs: number;
  readonly eventId: Uint8Array;
  readonly producer: string;
  /** Empty where the entry concerns no single GPU. */
  readonly gpu: string;
  readonly detailLength: number;
  readonly detailCommit: Uint8Array;
  /** Entry hash of seq - 1; 32 zero bytes for seq 0. */
  readonly prev: Uint8Array;
}

/** What the event says, and what the ledger adds. */
type LeafEvent = Pick<Leaf, 'type' | 'injected' | 'eventUs' | 'eventId' | 'producer' | 'gpu'>;
type LeafPlace = Pick<Leaf, 'seq' | 'receivedUs' | 'detailLength'>;

export class MalformedLeafError extends Error {
  override readonly name = 'MalformedLeafError';
}

export function isLeafType(value: number): value is LeafType {
  return Number.isInteger(value) && value >= LeafType.probe && value <= LeafType.approval;
}

/**
 * Writes everything up to, not including, detail_commit and prev, and returns the offset after it.
 * The caller, who has the hashes at hand as bytes or as latin1 strings, appends them.
 */
export function writeLeafPrefix(into: Buffer, offset: number, event: LeafEvent, place: LeafPlace): number {
  into[offset] = LEAF_VERSION;
  into[offset + 1] = event.type;
  into.writeUInt16BE(event.injected ? KNOWN_FLAGS : LeafFlag.saltedDetail, offset + 2);
  writeUint53(into, place.seq, offset + 4);
  writeUint53(into, place.receivedUs, offset + 12);
  writeUint53(into, event.eventUs, offset + 20);
  into.set(event.eventId, offset + 28);
  let end = writeLp8(into, offset + FIXED_HEAD_BYTES, event.producer);
  end = writeLp8(into, end, event.gpu);
  return into.writeUInt32BE(place.detailLength, end);
}

export function encodeLeaf(leaf: Leaf): Buffer {
  const bytes = Buffer.allocUnsafe(MAX_LEAF_BYTES);
  const end = writeLeafPrefix(bytes, 0, leaf, leaf);
  bytes.set(leaf.detailCommit, end);
  bytes.set(leaf.prev, end + 32);
  return Buffer.from(bytes.subarray(0, end + 64));
}

/** Strict: what it accepts, encodeLeaf gives back byte for byte. The returned byte fields are views into `bytes`. */
export function decodeLeaf(bytes: Uint8Array): Leaf {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < FIXED_HEAD_BYTES + 2 + FIXED_TAIL_BYTES) throw new MalformedLeafError('leaf is too short');
  if (buffer[0] !== LEAF_VERSION) throw new MalformedLeafError(`unknown leaf version ${buffer[0]}`);
  const type = buffer.readUInt8(1);
  if (!isLeafType(type)) throw new MalformedLeafError(`unknown leaf type ${type}`);
  const flags = buffer.readUInt16BE(2);
  if ((flags & ~KNOWN_FLAGS) !== 0 || (flags & LeafFlag.saltedDetail) === 0) {
    throw new MalformedLeafError(`illegal leaf flags 0x${flags.toString(16)}`);
  }
  const producer = readLp8(buffer, FIXED_HEAD_BYTES);
  const gpu = readLp8(buffer, producer.end);
  const tail = gpu.end;
  if (buffer.length !== tail + FIXED_TAIL_BYTES) throw new MalformedLeafError('leaf length disagrees with its fields');
  return {
    type,
    injected: (flags & LeafFlag.injected) !== 0,
    seq: readUint53(buffer, 4),
    receivedUs: readUint53(buffer, 12),
    eventUs: readUint53(buffer, 20),
    eventId: buffer.subarray(28, 28 + EVENT_ID_BYTES),
    producer: producer.text,
    gpu: gpu.text,
    detailLength: buffer.readUInt32BE(tail),
    detailCommit: buffer.subarray(tail + 4, tail + 36),
    prev: buffer.subarray(tail + 36, tail + 68),
  };
}

/** Microsecond times and sequence numbers stay below 2^53, so numbers hold them exactly. */
function writeUint53(into: Buffer, value: number, offset: number): void {
  into.writeUInt32BE(Math.floor(value / 2 ** 32), offset);
  into.writeUInt32BE(value % 2 ** 32, offset + 4);
}

function readUint53(from: Buffer, offset: number): number {
  const value = from.readUInt32BE(offset) * 2 ** 32 + from.readUInt32BE(offset + 4);
  if (!Number.isSafeInteger(value)) throw new MalformedLeafError(`integer at byte ${offset} is beyond 2^53`);
  return value;
}

function writeLp8(into: Buffer, offset: number, text: string): number {
  const written = into.write(text, offset + 1, 'utf8');
  into.writeUInt8(written, offset);
  return offset + 1 + written;
}

function readLp8(from: Buffer, offset: number): { text: string; end: number } {
  const end = offset + 1 + (from[offset] ?? 0);
  if (end > from.length) throw new MalformedLeafError('leaf is cut short inside a string');
  const bytes = from.subarray(offset + 1, end);
  if (!isUtf8(bytes)) throw new MalformedLeafError(`string at byte ${offset} is not UTF-8`);
  return { text: bytes.toString('utf8'), end };
}
