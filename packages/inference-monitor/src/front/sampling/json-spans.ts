/**
 * Where values lie in JSON text, so that single ones can be replaced and every other byte stays as it was: parsing and writing anew would
 * change large integers, the form of numbers and the order of keys. The text has been parsed before, so that it is valid.
 */

export interface Span {
  readonly start: number;
  /** Behind the last byte. */
  readonly end: number;
}

export interface Member extends Span {
  readonly key: string;
  /** Of the key, with its quotation mark. */
  readonly keyStart: number;
}

export interface Edit extends Span {
  readonly text: string;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** @returns [] where no object begins there */
export function members(text: Buffer, at = 0): Member[] {
  const found: Member[] = [];
  let k = space(text, at);
  if (text[k] !== OPEN_OBJECT) return found;
  k = space(text, k + 1);
  while (k < text.length && text[k] !== CLOSE_OBJECT) {
    const keyEnd = stringEnd(text, k);
    const key = JSON.parse(text.toString('utf8', k, keyEnd)) as string;
    const start = space(text, space(text, keyEnd) + 1);
    const end = valueEnd(text, start);
    found.push({ key, keyStart: k, start, end });
    k = next(text, end);
  }
  return found;
}

/** @returns [] where no array begins there */
export function elements(text: Buffer, at = 0): Span[] {
  const found: Span[] = [];
  let k = space(text, at);
  if (text[k] !== OPEN_ARRAY) return found;
  k = space(text, k + 1);
  while (k < text.length && text[k] !== CLOSE_ARRAY) {
    const end = valueEnd(text, k);
    found.push({ start: k, end });
    k = next(text, end);
  }
  return found;
}

/** The last one: that is the one which parsers take. */
export function member(text: Buffer, key: string, at = 0): Member | undefined {
  return members(text, at).findLast((each) => each.key === key);
}

/** @param edits do not overlap */
export function edited(text: Buffer, edits: readonly Edit[]): Buffer {
  if (edits.length === 0) return text;
  const parts: Buffer[] = [];
  let at = 0;
  for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
    parts.push(text.subarray(at, edit.start), Buffer.from(edit.text));
    at = edit.end;
  }
  return Buffer.concat([...parts, text.subarray(at)]);
}

/** Takes out the k-th member with the comma that belongs to it. */
export function removal(all: readonly Member[], k: number): Edit {
  const { keyStart: start = 0, end = 0 } = all[k] ?? {};
  const before = all[k - 1];
  if (before !== undefined) return { start: before.end, end, text: '' };
  return { start, end: all[k + 1]?.keyStart ?? end, text: '' };
}

function next(text: Buffer, at: number): number {
  const k = space(text, at);
  return text[k] === COMMA ? space(text, k + 1) : k;
}

function space(text: Buffer, at: number): number {
  let k = at;
  while (text[k] === 0x20 || text[k] === 0x0a || text[k] === 0x0d || text[k] === 0x09) k += 1;
  return k;
}

function stringEnd(text: Buffer, at: number): number {
  let k = at + 1;
  while (k < text.length && text[k] !== QUOTE) k += text[k] === BACKSLASH ? 2 : 1;
  return k + 1;
}

function valueEnd(text: Buffer, at: number): number {
  let depth = 0;
  let k = at;
  while (k < text.length) {
    const byte = text[k];
    if (byte === QUOTE) {
      k = stringEnd(text, k);
      if (depth === 0) return k;
      continue;
    }
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth += 1;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      // The end of what surrounds a number or a word.
      if (depth === 0) return trimmed(text, at, k);
      depth -= 1;
      if (depth === 0) return k + 1;
    } else if (byte === COMMA && depth === 0) return trimmed(text, at, k);
    k += 1;
  }
  return trimmed(text, at, k);
}

function trimmed(text: Buffer, at: number, end: number): number {
  let k = end;
  while (k > at && (text[k - 1] ?? 0) <= 0x20) k -= 1;
  return k;
}
