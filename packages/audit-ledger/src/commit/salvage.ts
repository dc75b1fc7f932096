/**
 * Takes a record apart that may be damaged. Each item states its length and shows it a second time (a leaf by its own
 * fields, a detail by its leaf), so that one damaged length costs one item and not all that follow.
 */
import { COMMIT_PREFIX, SALT_BYTES } from '../detail/commitment.js';
import { LEAF_PREFIX } from '../tree/hash.js';
import { RECORD_HEADER_BYTES } from './record.js';

/** Offset of the producer's length in a leaf. */
const PRODUCER_AT = 44;
const AFTER_STRINGS = 4 + 32 + 32;

export interface Salvaged {
  /** Bytes of each item with its prefix; undefined where they cannot be had. */
  readonly items: readonly (Buffer | undefined)[];
  /** Items whose stated length is damaged. */
  readonly badLengths: readonly number[];
}

export function salvageEntries(record: Buffer, count: number): Salvaged {
  return salvage(record, count, 2, LEAF_PREFIX, (start) => leafBytes(record, start));
}

/** `lengths`: detail lengths as the leaves state them; undefined where a leaf cannot be read. */
export function salvageDetails(record: Buffer, lengths: readonly (number | undefined)[]): Salvaged {
  return salvage(record, lengths.length, 4, COMMIT_PREFIX, (_start, i) => {
    const length = lengths[i];
    return length === undefined ? undefined : 1 + SALT_BYTES + length;
  });
}

function salvage(
  record: Buffer,
  count: number,
  lengthBytes: number,
  prefix: number,
  shown: (start: number, item: number) => number | undefined,
): Salvaged {
  const items: (Buffer | undefined)[] = [];
  const badLengths: number[] = [];
  const isBoundary = (end: number): boolean =>
    end === record.length || (end + lengthBytes < record.length && record[end + lengthBytes] === prefix);
  let offset = RECORD_HEADER_BYTES;
  for (let i = 0; i < count; i += 1) {
    const start = offset + lengthBytes;
    if (start >= record.length) {
      items.push(undefined);
      continue;
    }
    const stated = record.readUIntBE(offset, lengthBytes);
    const other = shown(start, i);
    const useOther =
      other !== undefined && other !== stated && isBoundary(start + other) && !isBoundary(start + stated);
    // A flipped length may by chance end where a prefix stands; what the item itself shows then decides.
    const ambiguous =
      other !== undefined && other !== stated && isBoundary(start + other) && isBoundary(start + stated);
    const length = useOther || ambiguous ? other : stated;
    if (useOther || ambiguous) badLengths.push(i);
    items.push(start + length <= record.length ? record.subarray(start, start + length) : undefined);
    offset = start + length;
  }
  return { items, badLengths };
}

/** Length of 0x00 | leaf by the leaf's own strings. */
function leafBytes(record: Buffer, start: number): number | undefined {
  const producer = record[start + 1 + PRODUCER_AT];
  if (producer === undefined) return undefined;
  const gpu = record[start + 1 + PRODUCER_AT + 1 + producer];
  return gpu === undefined ? undefined : 1 + PRODUCER_AT + 1 + producer + 1 + gpu + AFTER_STRINGS;
}
