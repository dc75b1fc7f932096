/** Longest line with the size of a chunk and its extensions, and longest trailer, that is followed. */
const MAX_LINE_BYTES = 8_192;

const LF = 10;

type State = 'size' | 'data' | 'data-end' | 'trailer' | 'done' | 'lost';

/** Follows a chunked body (RFC 9112 §7.1), split anywhere. */
export class ChunkedBody {
  #state: State = 'size';
  #left = 0;
  /** The line that is being read, Latin-1. */
  #line = '';

  get done(): boolean {
    return this.#state === 'done';
  }

  /** What came is not chunked coding as this class knows it. */
  get lost(): boolean {
    return this.#state === 'lost';
  }

  /**
   * Goes over one part: data of a chunk, or the bytes around data.
   * @param onData is given the data, a view of `bytes`
   * @returns the offset behind it, always larger than `at` unless done or lost
   */
  step(bytes: Buffer, at: number, onData: ((data: Buffer) => void) | null): number {
    if (this.#state === 'data') {
      const end = Math.min(bytes.length, at + this.#left);
      this.#left -= end - at;
      if (this.#left === 0) this.#state = 'data-end';
      onData?.(bytes.subarray(at, end));
      return end;
    }
    const feed = bytes.indexOf(LF, at);
    const end = feed < 0 ? bytes.length : feed + 1;
    this.#line += bytes.toString('latin1', at, end);
    if (this.#line.length > MAX_LINE_BYTES) this.#state = 'lost';
    else if (feed >= 0) this.#takeLine();
    return end;
  }

  #takeLine(): void {
    const line = this.#line;
    this.#line = '';
    if (!line.endsWith('\r\n')) this.#state = 'lost';
    else if (this.#state === 'size') this.#takeSize(line);
    else if (this.#state === 'data-end') this.#state = line === '\r\n' ? 'size' : 'lost';
    else if (line === '\r\n') this.#state = 'done';
  }

  #takeSize(line: string): void {
    const size = /^([0-9a-fA-F]{1,12})[ \t]*(?:;.*)?\r\n$/.exec(line)?.[1];
    if (size === undefined) {
      this.#state = 'lost';
      return;
    }
    this.#left = Number.parseInt(size, 16);
    this.#state = this.#left === 0 ? 'trailer' : 'data';
  }
}
