import { ChunkedBody } from './chunked.js';
import { type Extent, type Head, MAX_HEAD_BYTES, mayBeHead, parseHead } from './head.js';

const EMPTY_LINE = '\r\n\r\n';
const CR = 13;
const LF = 10;
const NOTHING: Buffer = Buffer.alloc(0);

export type Place =
  /** Between two messages: nothing of the next has come. */
  | 'between'
  | 'head'
  | 'body'
  /** The rest belongs to the message, whatever it is. */
  | 'until-close'
  /** Not understood: nothing is known about the rest of the connection. */
  | 'lost';

/** Follows where messages begin and end in one direction of an HTTP/1.1 connection; it looks and changes nothing. */
export class Framer {
  readonly #kind: 'request' | 'response';
  readonly #extentOf: (head: Head) => Extent | null;
  #place: Place = 'between';
  #headBytes = NOTHING;
  #left = 0;
  #chunked: ChunkedBody | null = null;
  /** The head of the message that is being read. */
  head: Head | null = null;
  extent: Extent | null = null;

  constructor(kind: 'request' | 'response', extentOf: (head: Head) => Extent | null) {
    this.#kind = kind;
    this.#extentOf = extentOf;
  }

  get place(): Place {
    return this.#place;
  }

  /** The whole head, with its empty line. Kept until the next message begins, or it is forgotten. */
  get headBytes(): Buffer {
    return this.#headBytes;
  }

  lose(): void {
    this.#place = 'lost';
  }

  /** What was being read ends here, as its connection has: the next byte begins a message. */
  restart(): void {
    this.#place = 'between';
    this.#chunked = null;
  }

  /** Between two messages the bytes of the last head are dropped: an idle connection keeps nothing. */
  forget(): void {
    if (this.#place === 'between') this.#headBytes = NOTHING;
  }

  /**
   * Goes over one part of a message: some of its head, or some of its body.
   * @param at at least one byte is there
   * @param onData is given the data of a body, a view of `bytes`
   * @returns the offset behind the part; `place` says where in the connection that is
   */
  step(bytes: Buffer, at: number, onData: ((data: Buffer) => void) | null = null): number {
    switch (this.#place) {
      case 'between':
      case 'head':
        return this.#stepHead(bytes, at);
      case 'body':
        return this.#stepBody(bytes, at, onData);
      case 'until-close':
      case 'lost':
        onData?.(bytes.subarray(at));
        return bytes.length;
    }
  }

  #stepHead(bytes: Buffer, at: number): number {
    if (this.#place === 'between') {
      if (this.#kind === 'request' && !begins(bytes[at])) return at + 1;
      this.#place = 'head';
      this.#headBytes = NOTHING;
    }
    const before = this.#headBytes.length;
    const from = Math.max(0, before - 3);
    const rest = at === 0 ? bytes : bytes.subarray(at);
    const seen = before === 0 ? rest : Buffer.concat([this.#headBytes, rest]);
    const end = seen.indexOf(EMPTY_LINE, from, 'latin1');
    if (end < 0) {
      this.#headBytes = seen;
      const odd = seen.length > MAX_HEAD_BYTES || hasBareFeed(seen, from) || !mayBeHead(seen, this.#kind);
      if (odd) this.#place = 'lost';
      return bytes.length;
    }
    const length = end + EMPTY_LINE.length;
    // A view would keep all that came with it.
    this.#headBytes = Buffer.from(seen.subarray(0, length));
    this.#takeHead();
    return at + length - before;
  }

  #takeHead(): void {
    this.head = this.#headBytes.length > MAX_HEAD_BYTES ? null : parseHead(this.#headBytes, this.#kind);
    this.extent = this.head === null ? null : this.#extentOf(this.head);
    switch (this.extent?.kind) {
      case undefined:
        this.#place = 'lost';
        return;
      case 'none':
        this.#place = 'between';
        return;
      case 'length':
        this.#left = this.extent.kind === 'length' ? this.extent.bytes : 0;
        this.#place = 'body';
        return;
      case 'chunked':
        this.#chunked = new ChunkedBody();
        this.#place = 'body';
        return;
      case 'until-close':
        this.#place = 'until-close';
    }
  }

  #stepBody(bytes: Buffer, at: number, onData: ((data: Buffer) => void) | null): number {
    if (this.#chunked === null) {
      const end = Math.min(bytes.length, at + this.#left);
      this.#left -= end - at;
      if (this.#left === 0) this.#place = 'between';
      onData?.(bytes.subarray(at, end));
      return end;
    }
    const end = this.#chunked.step(bytes, at, onData);
    if (this.#chunked.lost) this.#place = 'lost';
    else if (this.#chunked.done) this.#place = 'between';
    if (this.#place !== 'body') this.#chunked = null;
    return end;
  }
}

/** Whether a request begins with it: empty lines before one are allowed (RFC 9112, section 2.2). */
export function begins(byte: number | undefined): boolean {
  return byte !== CR && byte !== LF;
}

/** A line feed without a carriage return: some servers take that for the end of a line. */
function hasBareFeed(bytes: Buffer, from: number): boolean {
  for (let at = bytes.indexOf(LF, from); at >= 0; at = bytes.indexOf(LF, at + 1)) if (bytes[at - 1] !== CR) return true;
  return false;
}
