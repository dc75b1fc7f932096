/**
 * The details of a bundle as lines of JSON: `{"seq":N,"salt":"32 hex digits","detail":"canonical JSON as a string"}`; and the leaves that
 * were kept of a bundle that was pruned: `{"seq":N,"leaf":"hex digits"}`.
 */
import { SALT_BYTES } from '../detail/commitment.js';
import type { Opening } from '../verify/source.js';

export function detailLine({ seq, salt, detail }: Opening): string {
  return `${JSON.stringify({ seq, salt: Buffer.from(salt).toString('hex'), detail: Buffer.from(detail).toString('utf8') })}\n`;
}

export interface KeptLeaf {
  readonly seq: number;
  readonly leaf: Uint8Array;
}

export function keptLine({ seq, leaf }: KeptLeaf): string {
  return `${JSON.stringify({ seq, leaf: Buffer.from(leaf).toString('hex') })}\n`;
}

/** One for each line; undefined where `detailLine` would not have written it. */
export function readDetailLines(bytes: Buffer): (Opening | undefined)[] {
  return readLines(bytes, parse, detailLine);
}

/** One for each line; undefined where `keptLine` would not have written it. */
export function readKeptLines(bytes: Buffer): (KeptLeaf | undefined)[] {
  return readLines(bytes, parseKept, keptLine);
}

function readLines<T>(bytes: Buffer, read: (line: string) => T | undefined, write: (item: T) => string) {
  const lines = bytes.toString('utf8').split('\n');
  const rest = lines.pop();
  const items = lines.map((line) => {
    const item = read(line);
    return item !== undefined && write(item) === `${line}\n` ? item : undefined;
  });
  return [...items, ...(rest === '' ? [] : [undefined])];
}

function parseKept(line: string): KeptLeaf | undefined {
  try {
    const { seq, leaf } = JSON.parse(line) as { seq?: unknown; leaf?: unknown };
    return typeof seq === 'number' && typeof leaf === 'string' ? { seq, leaf: Buffer.from(leaf, 'hex') } : undefined;
  } catch {
    return undefined;
  }
}

function parse(line: string): Opening | undefined {
  try {
    const { seq, salt, detail } = JSON.parse(line) as { seq?: unknown; salt?: unknown; detail?: unknown };
    if (typeof seq !== 'number' || typeof salt !== 'string' || typeof detail !== 'string') return undefined;
    const bytes = Buffer.from(salt, 'hex');
    return bytes.length === SALT_BYTES ? { seq, salt: bytes, detail: Buffer.from(detail) } : undefined;
  } catch {
    return undefined;
  }
}
