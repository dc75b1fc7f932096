/**
 * Takes a record apart that may be damaged. Each item states its length and shows it a second time (a leaf by its own
 * fields, a detail by its leaf), so that one damaged length costs one item and not all that follow.
 */
import { COMMIT_PREFIX, SALT_BYTES } from '../detail/commitment.js';
import { LEAF_VERSION } from '../leaf/leaf.js';
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

export function salvageEntries(record: Buffer, count: number, firstSeq: number): Salvaged {
  return salvage(record, count, {
    lengthBytes: 2,
    shown: (start) => leafBytes(record, start),
    begins: (at, item) => {
      const leaf = at + 2 + 1;
      const looksRight = record[leaf - 1] === LEAF_PREFIX && record[leaf] === LEAF_VERSION;
      return looksRight && leaf + 12 <= record.length && record.readUInt32BE(leaf + 8) === (firstSeq + item) % 2 ** 32;
    },
  });
}

/** `lengths`: detail lengths as the leaves state them; undefined where a leaf cannot be read. */
export function salvageDetails(record: Buffer, lengths: readonly (number | undefined)[]): Salvaged {
  const shown = (item: number): number | undefined => {
    const length = lengths[item];
    return length === undefined ? undefined : 1 + SALT_BYTES + length;
  };
  return salvage(record, lengths.length, {
    lengthBytes: 4,
    shown: (_start, item) => shown(item),
    begins: (at, item) => {
      if (at + 4 >= record.length || record[at + 4] !== COMMIT_PREFIX) return false;
      const length = shown(item);
      return length === undefined || record.readUInt32BE(at) === length;
    },
  });
}

interface Shape {
  readonly lengthBytes: number;
  /** Length of the item that starts there, as it shows it itself. */
  readonly shown: (start: number, item: number) => number | undefined;
  /** Whether the item of that number begins there, with its length. */
  readonly begins: (at: number, item: number) => boolean;
}

function salvage(record: Buffer, count: number, { lengthBytes, shown, begins }: Shape): Salvaged {
  const items: (Buffer | undefined)[] = [];
  const badLengths: number[] = [];
  let offset = RECORD_HEADER_BYTES;
  for (let i = 0; i < count; i += 1) {
    const start = offset + lengthBytes;
    if (start >= record.length) {
      items.push(undefined);
      continue;
    }
    const leads = (length: number): boolean =>
      i === count - 1 ? start + length === record.length : begins(start + length, i + 1);
    const stated = record.readUIntBE(offset, lengthBytes);
    const other = shown(start, i);
    const isBad = other !== undefined && other !== stated && !leads(stated) && leads(other);
    if (isBad) badLengths.push(i);
    const end = start + (isBad ? other : stated);
    items.push(end <= record.length ? record.subarray(start, end) : undefined);
    offset = end;
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
