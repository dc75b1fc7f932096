import { heldBy, MAX_WHOLE_BYTES, type Plan, type Reading } from '../sampling/plan.js';
import type { Extent, Head } from './head.js';

const LAST_CHUNK = Buffer.from('0\r\n\r\n');

type State = 'head' | 'pass' | 'watch' | 'swallow' | 'whole' | 'stream';

/** The answer to one sampled request on an HTTP/1.1 connection. */
export class Exchange {
  /** The request as the client sent it. */
  readonly original: Buffer;
  readonly #plan: Plan;
  readonly #write: (bytes: Buffer) => void;
  #state: State = 'head';
  #reading: Reading | null = null;
  #extent: Extent | null = null;
  #headBytes: Buffer = Buffer.alloc(0);
  #raw: Buffer[] = [];
  #data: Buffer[] = [];
  #bytes = 0;

  constructor(original: Buffer, plan: Plan, write: (bytes: Buffer) => void) {
    this.original = original;
    this.#plan = plan;
    this.#write = write;
  }

  /** Bytes that are kept of request and answer. */
  get waiting(): number {
    return this.original.length + this.#bytes + heldBy(this.#reading);
  }

  /** The answer so far was kept from the client, and the original request is to be sent. */
  get again(): boolean {
    return this.#state === 'swallow';
  }

  /** The server has ended the connection before it answered. */
  unanswered(): void {
    if (this.#state === 'head' && this.#plan.unanswered()) this.#state = 'swallow';
  }

  /** For the answer to the original request, which the plan has asked for. */
  next(): Exchange {
    return new Exchange(this.original, this.#plan, this.#write);
  }

  /** The final head of the answer is whole. */
  begin(head: Head, bytes: Buffer, extent: Extent): void {
    this.#reading = this.#plan.answer(head.status, head.headers);
    this.#extent = extent;
    this.#headBytes = bytes;
    switch (this.#reading.kind) {
      case 'again':
        // What ends with the connection leaves none to ask again on.
        this.#state = 'swallow';
        return;
      case 'pass':
      case 'watch':
        this.#state = this.#reading.kind;
        this.#write(bytes);
        return;
      case 'whole':
        this.#state = 'whole';
        return;
      case 'stream':
        this.#state = extent.kind === 'length' ? 'whole' : 'stream';
        if (this.#state === 'stream') this.#write(bytes);
    }
  }

  /** Bytes of the body as they came. */
  raw(bytes: Buffer): void {
    if (this.#state === 'pass' || this.#state === 'watch') this.#write(bytes);
    if (this.#state !== 'whole') return;
    this.#raw.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes > MAX_WHOLE_BYTES) this.giveUp();
  }

  /** The same without their coding. */
  readonly data = (data: Buffer): void => {
    if (this.#state === 'whole') this.#data.push(data);
    if (this.#state === 'swallow' && this.#reading?.kind === 'again') this.#reading.push(data);
    if (this.#state === 'watch' && this.#reading?.kind === 'watch') this.#reading.push(data);
    if (this.#state !== 'stream' || this.#reading?.kind !== 'stream') return;
    this.#emit(this.#reading.push(data));
  };

  /** The answer is whole. */
  end(): void {
    if (this.#state === 'stream' && this.#reading?.kind === 'stream') {
      this.#emit(this.#reading.end());
      if (this.#extent?.kind === 'chunked') this.#write(LAST_CHUNK);
    }
    if (this.#state === 'watch' && this.#reading?.kind === 'watch') this.#reading.end();
    if (this.#state === 'whole') this.#endWhole();
  }

  /** The rest passes as it comes: it is not understood, or too large, or will not come. */
  giveUp(): void {
    if (this.#state === 'whole') for (const bytes of [this.#headBytes, ...this.#raw]) this.#write(bytes);
    if (this.#state === 'stream' && this.#reading?.kind === 'stream') this.#emit(this.#reading.end());
    if (this.#state !== 'pass') this.#plan.abandon();
    this.#raw = [];
    this.#data = [];
    this.#bytes = 0;
    this.#state = 'pass';
  }

  #endWhole(): void {
    const body = Buffer.concat(this.#data);
    const rewritten = this.#rewrite(body);
    if (rewritten === body) {
      for (const bytes of [this.#headBytes, ...this.#raw]) this.#write(bytes);
    } else if (this.#extent?.kind === 'chunked') {
      this.#write(this.#headBytes);
      this.#emit(rewritten);
      this.#write(LAST_CHUNK);
    } else this.#write(Buffer.concat([withLength(this.#headBytes, rewritten.length), rewritten]));
  }

  #rewrite(body: Buffer): Buffer {
    if (this.#reading?.kind === 'whole') return this.#reading.rewrite(body);
    if (this.#reading?.kind === 'stream') return Buffer.concat([this.#reading.push(body), this.#reading.end()]);
    return body;
  }

  #emit(data: Buffer): void {
    if (data.length === 0) return;
    if (this.#extent?.kind !== 'chunked') this.#write(data);
    else this.#write(Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n')]));
  }
}

/** The head with another Content-Length and nothing else changed. */
export function withLength(head: Buffer, length: number): Buffer {
  const text = head.toString('latin1').replace(/(\r\ncontent-length:[ \t]*)\d+/i, `$1${length}`);
  return Buffer.from(text, 'latin1');
}
