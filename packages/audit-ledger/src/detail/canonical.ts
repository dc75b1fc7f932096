/** RFC 8785 canonical JSON: what a detail must be, so that one content has one commitment. */
import { isUtf8 } from 'node:buffer';

export const MAX_DETAIL_BYTES = 64 * 1024;
/** Details are flat records; a bound keeps hostile nesting off the stack. */
const MAX_DEPTH = 32;

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

export interface DetailObject {
  readonly event: string;
  readonly [key: string]: JsonValue;
}

/** The message completes the sentence "detail ...". */
export class DetailError extends Error {
  override readonly name = 'DetailError';
}

export function canonicalJson(value: JsonValue): string {
  return write(value, MAX_DEPTH);
}

/** Checks size, encoding, canonical form and the `event` member; gives the parsed object. */
export function parseDetail(bytes: Uint8Array): DetailObject {
  if (bytes.length > MAX_DETAIL_BYTES) throw new DetailError(`is longer than ${MAX_DETAIL_BYTES} bytes`);
  if (!isUtf8(bytes)) throw new DetailError('is not UTF-8');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new DetailError('is not a JSON object');
  const record = value as { readonly [key: string]: JsonValue };
  if (canonicalJson(record) !== text) throw new DetailError('is not canonical JSON (RFC 8785)');
  if (!Object.hasOwn(record, 'event') || typeof record['event'] !== 'string')
    throw new DetailError('has no string member `event`');
  return record as DetailObject;
}

function parseJson(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    throw new DetailError('is not JSON');
  }
}

function write(value: JsonValue, depth: number): string {
  if (typeof value === 'string') return writeString(value);
  if (typeof value !== 'object' || value === null) return writeScalar(value);
  if (depth === 0) throw new DetailError(`nests deeper than ${MAX_DEPTH}`);
  if (isArray(value)) return `[${value.map((item) => write(item, depth - 1)).join(',')}]`;
  return writeObject(value, depth);
}

/** RFC 8785 §3.2.3 sorts keys by UTF-16 code units, which is how JavaScript compares strings. */
function writeObject(value: { readonly [key: string]: JsonValue }, depth: number): string {
  let text = '{';
  for (const key of Object.keys(value).sort()) {
    const comma = text.length === 1 ? '' : ',';
    text += `${comma}${writeString(key)}:${write(value[key] ?? null, depth - 1)}`;
  }
  return `${text}}`;
}

function writeScalar(value: null | boolean | number): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new DetailError('holds a number JSON cannot write');
  return JSON.stringify(value);
}

/** RFC 8785 §3.2.2.2 is how JSON.stringify escapes, except that a lone surrogate is an error. */
function writeString(text: string): string {
  if (!text.isWellFormed()) throw new DetailError('holds a lone surrogate');
  return JSON.stringify(text);
}

function isArray(value: object): value is readonly JsonValue[] {
  return Array.isArray(value);
}
