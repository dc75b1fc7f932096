/**
 * The leaf: the bytes of one log entry. All integers are big-endian.
 *
 *     u8 version=1 | u8 type | u16 flags | u64 seq | u64 received_us | u64 event_us | 16B event_id
 *     | lp8 producer | lp8 gpu | u32 detail_len | 32B detail_commit | 32B prev
 *
 * lp8 is a length byte followed by that many bytes of UTF-8.
 */
import { isUtf8 } from 'node:buffer';
import { type Digest, digestAt } from '../tree/hash.js';

export const LEAF_VERSION = 1;
export const EVENT_ID_BYTES = 16;
export const MAX_LP8_BYTES = 255;

const FIXED_HEAD_BYTES = 1 + 1 + 2 + 8 + 8 + 8 + EVENT_ID_BYTES;
/** detail_len, detail_commit and prev. */
export const LEAF_TAIL_BYTES = 4 + 32 + 32;
export const MAX_LEAF_BYTES = FIXED_HEAD_BYTES + 2 * (1 + MAX_LP8_BYTES) + LEAF_TAIL_BYTES;

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
const ASCII_END = 0x80;
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

/**
 * A leaf where it lies, in place of a decoded copy: most of its fields are never asked for. Strict: what it accepts, encodeLeaf
 * gives back byte for byte.
 */
export class LeafView implements Leaf {
  readonly type: LeafType;
  readonly injected: boolean;
  readonly seq: number;
  readonly receivedUs: number;
  readonly #bytes: Buffer;
  /** Offset of the GPU's length. */
  readonly #gpuAt: number;
  /** Offset behind the strings. */
  readonly #tail: number;

  /** @throws MalformedLeafError */
  constructor(bytes: Uint8Array, offset = 0) {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset + offset, bytes.byteLength - offset);
    if (buffer.length < FIXED_HEAD_BYTES + 2 + LEAF_TAIL_BYTES) throw new MalformedLeafError('leaf is too short');
    if (buffer[0] !== LEAF_VERSION) throw new MalformedLeafError(`unknown leaf version ${buffer[0]}`);
    const type = buffer[1] ?? 0;
    if (!isLeafType(type)) throw new MalformedLeafError(`unknown leaf type ${type}`);
    const flags = buffer.readUInt16BE(2);
    if ((flags & ~KNOWN_FLAGS) !== 0 || (flags & LeafFlag.saltedDetail) === 0) {
      throw new MalformedLeafError(`illegal leaf flags 0x${flags.toString(16)}`);
    }
    this.#bytes = buffer;
    this.#gpuAt = endOfLp8(buffer, FIXED_HEAD_BYTES);
    this.#tail = endOfLp8(buffer, this.#gpuAt);
    if (buffer.length !== this.#tail + LEAF_TAIL_BYTES)
      throw new MalformedLeafError('leaf length disagrees with its fields');
    this.type = type;
    this.injected = (flags & LeafFlag.injected) !== 0;
    this.seq = readUint53(buffer, 4);
    this.receivedUs = readUint53(buffer, 12);
    readUint53(buffer, 20);
  }

  get eventUs(): number {
    return readUint53(this.#bytes, 20);
  }

  get eventId(): Uint8Array {
    return this.#bytes.subarray(28, 28 + EVENT_ID_BYTES);
  }

  get producer(): string {
    return this.#bytes.toString('utf8', FIXED_HEAD_BYTES + 1, this.#gpuAt);
  }

  get gpu(): string {
    return this.#bytes.toString('utf8', this.#gpuAt + 1, this.#tail);
  }

  get detailLength(): number {
    return this.#bytes.readUInt32BE(this.#tail);
  }

  get detailCommit(): Uint8Array {
    return this.#bytes.subarray(this.#tail + 4, this.#tail + 36);
  }

  get prev(): Uint8Array {
    return this.#bytes.subarray(this.#tail + 36);
  }

  commitsTo(detail: Digest): boolean {
    return digestAt(this.#bytes, this.#tail + 4) === detail;
  }

  follows(prev: Digest): boolean {
    return digestAt(this.#bytes, this.#tail + 36) === prev;
  }
}

/** A copy of every field; those of bytes are views. @throws MalformedLeafError */
export function decodeLeaf(bytes: Uint8Array): Leaf {
  const { type, injected, seq, receivedUs, eventUs, eventId, producer, gpu, detailLength, detailCommit, prev } =
    new LeafView(bytes);
  return { type, injected, seq, receivedUs, eventUs, eventId, producer, gpu, detailLength, detailCommit, prev };
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

function endOfLp8(from: Buffer, offset: number): number {
  const end = offset + 1 + (from[offset] ?? 0);
  if (end > from.length) throw new MalformedLeafError('leaf is cut short inside a string');
  for (let at = offset + 1; at < end; at += 1) {
    if ((from[at] ?? 0) < ASCII_END) continue;
    // Names are ASCII nearly always; what is not is left to the slow way.
    if (!isUtf8(from.subarray(at, end))) throw new MalformedLeafError(`string at byte ${offset} is not UTF-8`);
    break;
  }
  return end;
}
