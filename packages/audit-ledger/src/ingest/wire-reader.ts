/**
 * Protobuf wire format, read where it lies: no message is built of a request, whose events become entries byte by byte. What
 * this does not know of is skipped, as the format demands, and a field that comes twice counts the second time.
 */

/** The bytes are not a message. */
export class MalformedMessageError extends Error {
  override readonly name = 'MalformedMessageError';

  constructor() {
    super('the message is not valid protobuf');
  }
}

/** No field has number 0, and a tag is of 32 bits. */
const [FIRST_TAG, TAGS_END] = [8, 2 ** 32];
const MAX_VARINT_BYTES = 10;
const WIRE = { varint: 0, fixed64: 1, bytes: 2, group: 3, groupEnd: 4, fixed32: 5 } as const;
/** Groups are long out of use; so deep do nested ones nowhere go. */
const MAX_GROUP_DEPTH = 16;

/** Tag of field `number` with a value of that wire type. */
export function tagOf(number: number, type: 'varint' | 'bytes'): number {
  return number * 8 + WIRE[type];
}

export class WireReader {
  readonly bytes: Buffer;
  readonly end: number;
  at: number;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  get more(): boolean {
    return this.at < this.end;
  }

  /** Field number and wire type. */
  tag(): number {
    const tag = this.varint();
    if (tag < FIRST_TAG || tag >= TAGS_END) throw new MalformedMessageError();
    return tag;
  }

  /** Exact below 2^53, and beyond it some number that is not safe. */
  varint(): number {
    const { bytes, end } = this;
    let value = 0;
    let scale = 1;
    for (let i = 0; i < MAX_VARINT_BYTES; i += 1, scale *= 128) {
      if (this.at >= end) break;
      const byte = bytes[this.at] ?? 0;
      this.at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new MalformedMessageError();
  }

  /** Passes over a value that a length precedes. @returns where it begins; `at` is its end */
  span(): number {
    const length = this.varint();
    const start = this.at;
    if (length > this.end - start) throw new MalformedMessageError();
    this.at = start + length;
    return start;
  }

  /** Passes over the value behind `tag`. */
  skip(tag: number, depth = 0): void {
    const type = tag % 8;
    if (type === WIRE.varint) this.varint();
    else if (type === WIRE.bytes) this.span();
    else if (type === WIRE.fixed64) this.#pass(8);
    else if (type === WIRE.fixed32) this.#pass(4);
    else if (type === WIRE.group && depth < MAX_GROUP_DEPTH) this.#skipGroup(tag, depth);
    else throw new MalformedMessageError();
  }

  #skipGroup(start: number, depth: number): void {
    const closing = start - WIRE.group + WIRE.groupEnd;
    for (let tag = this.tag(); tag !== closing; tag = this.tag()) this.skip(tag, depth + 1);
  }

  #pass(count: number): void {
    if (count > this.end - this.at) throw new MalformedMessageError();
    this.at += count;
  }
}
