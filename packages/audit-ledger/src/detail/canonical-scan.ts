/**
 * Sees in one pass over the bytes that a detail is canonical, without building it: ten times as fast as to parse it, write it
 * again and compare. It knows the ordinary forms only; of anything else it says nothing, and the slow way decides.
 */
import { isUtf8 } from 'node:buffer';

/** Nesting followed; well below what is allowed. */
const MAX_DEPTH = 8;
/** Integers of so many digits are exact, and JSON writes them as they are. */
const MAX_DIGITS = 15;
/** 0.000001 is written so, a tenth of it as 1e-7. */
const MAX_LEADING_ZEROS = 5;

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const ASCII_END = 0x7f;

const EVENT = Buffer.from('event');
const WORDS = ['true', 'false', 'null'].map((word) => Buffer.from(word));

/** The string member `event` of a canonical object; undefined where this cannot be told. */
export function scanEvent(bytes: Uint8Array): string | undefined {
  const scan = new Scan(bytes);
  return scan.isWhole() && (scan.isAscii || isUtf8(bytes)) ? scan.event : undefined;
}

class Scan {
  event: string | undefined;
  isAscii = true;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  isWhole(): boolean {
    return this.#bytes[0] === OPEN && this.#object(MAX_DEPTH) && this.#at === this.#bytes.length;
  }

  #value(depth: number): boolean {
    const first = this.#bytes[this.#at] ?? 0;
    if (first === QUOTE) return this.#string(false);
    if (first === MINUS || (first >= ZERO && first <= NINE)) return this.#number();
    if (first === OPEN) return depth > 0 && this.#object(depth - 1);
    if (first === OPEN_LIST) return depth > 0 && this.#list(depth - 1);
    return WORDS.some((word) => this.#word(word));
  }

  /** Members in ascending order of their names, which are plain ASCII. */
  #object(depth: number): boolean {
    this.#at += 1;
    if (this.#skip(CLOSE)) return true;
    let [start, end] = [0, 0];
    do {
      const name = this.#at + 1;
      if (!this.#string(true)) return false;
      const nameEnd = this.#at - 1;
      if (end > 0 && !this.#ascends(start, end, name, nameEnd)) return false;
      [start, end] = [name, nameEnd];
      if (!this.#skip(COLON)) return false;
      const value = this.#at;
      if (!this.#value(depth)) return false;
      if (depth === MAX_DEPTH && this.#isEvent(name, nameEnd, value)) this.event = this.#text(value + 1, this.#at - 1);
    } while (this.#skip(COMMA));
    return this.#skip(CLOSE);
  }

  #list(depth: number): boolean {
    this.#at += 1;
    if (this.#skip(CLOSE_LIST)) return true;
    do {
      if (!this.#value(depth)) return false;
    } while (this.#skip(COMMA));
    return this.#skip(CLOSE_LIST);
  }

  /** A string without escapes. */
  #string(asciiOnly: boolean): boolean {
    if (!this.#skip(QUOTE)) return false;
    const bytes = this.#bytes;
    const { length } = bytes;
    let seen = 0;
    for (let at = this.#at; at < length; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === QUOTE) {
        this.#at = at + 1;
        if (seen > ASCII_END) this.isAscii = false;
        return !asciiOnly || seen <= ASCII_END;
      }
      if (byte < 0x20 || byte === BACKSLASH) return false;
      seen |= byte;
    }
    return false;
  }

  #number(): boolean {
    const start = this.#at;
    if (this.#bytes[start] === MINUS) this.#at += 1;
    const first = this.#at;
    const digits = this.#digits();
    const zeroLed = this.#bytes[first] === ZERO;
    if (digits === 0 || digits > MAX_DIGITS || (zeroLed && digits > 1)) return false;
    if (!this.#skip(DOT)) return !zeroLed || first === start;
    return this.#fraction(zeroLed ? 0 : digits);
  }

  /**
   * Of up to 15 significant digits no two decimals are the same number, so what JSON would write is this one, if it does not
   * end in 0 and is not so small that an exponent is written.
   */
  #fraction(wholeDigits: number): boolean {
    const start = this.#at;
    const digits = this.#digits();
    const last = this.#bytes[this.#at - 1];
    if (digits === 0 || last === ZERO || wholeDigits + digits > MAX_DIGITS) return false;
    if (wholeDigits > 0) return true;
    for (let at = start; at < start + MAX_LEADING_ZEROS + 1; at += 1) if (this.#bytes[at] !== ZERO) return true;
    return false;
  }

  #digits(): number {
    const start = this.#at;
    for (let byte = this.#bytes[this.#at] ?? 0; byte >= ZERO && byte <= NINE; byte = this.#bytes[this.#at] ?? 0)
      this.#at += 1;
    return this.#at - start;
  }

  #word(word: Uint8Array): boolean {
    for (let i = 0; i < word.length; i += 1) if (this.#bytes[this.#at + i] !== word[i]) return false;
    this.#at += word.length;
    return true;
  }

  #skip(byte: number): boolean {
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at += 1;
    return true;
  }

  #ascends(start: number, end: number, nextStart: number, nextEnd: number): boolean {
    const bytes = this.#bytes;
    const shared = Math.min(end - start, nextEnd - nextStart);
    for (let i = 0; i < shared; i += 1) {
      const difference = (bytes[nextStart + i] ?? 0) - (bytes[start + i] ?? 0);
      if (difference !== 0) return difference > 0;
    }
    return nextEnd - nextStart > end - start;
  }

  #isEvent(name: number, nameEnd: number, value: number): boolean {
    if (nameEnd - name !== EVENT.length || this.#bytes[value] !== QUOTE) return false;
    for (let i = 0; i < EVENT.length; i += 1) if (this.#bytes[name + i] !== EVENT[i]) return false;
    return true;
  }

  #text(start: number, end: number): string {
    const { buffer, byteOffset } = this.#bytes;
    return Buffer.from(buffer, byteOffset + start, end - start).toString('utf8');
  }
}
