/** With which a client begins that speaks HTTP/2 without asking first (RFC 9113 §3.4). */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const NOTHING: Buffer = Buffer.alloc(0);

/** Finds out what a connection speaks from its first bytes. */
export class Preface {
  #bytes = NOTHING;

  push(bytes: Buffer): 'http2' | 'other' | 'more' {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    const length = Math.min(this.#bytes.length, PREFACE.length);
    if (this.#bytes.compare(PREFACE, 0, length, 0, length) !== 0) return 'other';
    return length === PREFACE.length ? 'http2' : 'more';
  }

  /** All that has come, which is not kept: a connection may be idle for long. */
  take(): Buffer {
    const bytes = this.#bytes;
    this.#bytes = NOTHING;
    return bytes;
  }
}
