/** The details of a bundle as lines of JSON: `{"seq":N,"salt":"32 hex digits","detail":"canonical JSON as a string"}`. */
import { SALT_BYTES } from '../detail/commitment.js';
import type { Opening } from '../verify/source.js';

export function detailLine({ seq, salt, detail }: Opening): string {
  return `${JSON.stringify({ seq, salt: Buffer.from(salt).toString('hex'), detail: Buffer.from(detail).toString('utf8') })}\n`;
}

/** One for each line; undefined where `detailLine` would not have written it. */
export function readDetailLines(bytes: Buffer): (Opening | undefined)[] {
  const lines = bytes.toString('utf8').split('\n');
  const rest = lines.pop();
  return [...lines.map(readLine), ...(rest === '' ? [] : [undefined])];
}

function readLine(line: string): Opening | undefined {
  const opening = parse(line);
  return opening !== undefined && detailLine(opening) === `${line}\n` ? opening : undefined;
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
