/** Takes rows apart that may be damaged, and says which entries the damage is in. */
import { RECORD_HEADER_BYTES, readHeader } from '../../commit/record.js';
import { type Salvaged, salvageDetails, salvageEntries } from '../../commit/salvage.js';
import { decodeLeaf } from '../../leaf/leaf.js';
import type { SourceFault } from '../../verify/source.js';
import { bundleEnd } from './geometry.js';
import type { RecordRow, RecordTable } from './log-rows.js';

const LENGTH_BYTES = { leaves: 2, details: 4 } as const;
const PREFIX = { leaves: 0x00, details: 0x02 } as const;
const ITS = { leaves: 'its stored', details: 'its detail’s stored' } as const;

export interface SalvagedRow {
  readonly row: RecordRow;
  /** The row is where its own header says. */
  readonly inPlace: boolean;
  /** Commit that its header states. */
  readonly commit: number;
  /** With their prefix; undefined where they cannot be had. */
  readonly items: readonly (Buffer | undefined)[];
  readonly faults: readonly SourceFault[];
}

/** `lengthAt`: length of the detail of an entry as its leaf states it; undefined where that cannot be read. */
export function salvageRow(
  table: RecordTable,
  row: RecordRow,
  lengthAt: (seq: number) => number | undefined = () => undefined,
): SalvagedRow {
  const { first, record } = row;
  const stated = statedCount(record);
  const most = bundleEnd(first) - first;
  const asStated = salvageItems(table, row, Math.min(stated, most), lengthAt);
  // Where as many items as it states do not fill the row, that number is damaged.
  const fills = isFilledBy(record, LENGTH_BYTES[table], asStated);
  const walked = fills ? undefined : walkedCount(record, LENGTH_BYTES[table]);
  const count = Math.min(walked ?? stated, most);
  const { items, badLengths } = walked === undefined ? asStated : salvageItems(table, row, count, lengthAt);
  const inPlace = isInPlace(row);
  const last = first + Math.max(count, 1) - 1;
  const faults: SourceFault[] = [];
  if (!inPlace || count !== stated)
    faults.push({ first, last, what: `header of its row of ${table} is not what it should be` });
  const at = (i: number, what: string): void => void faults.push({ first: first + i, last: first + i, what });
  for (const i of badLengths) at(i, `${ITS[table]} length is damaged`);
  for (const [i, item] of items.entries())
    if (item !== undefined && item[0] !== PREFIX[table]) at(i, `${ITS[table]} prefix is damaged`);
  return { row, inPlace, commit: statedCommit(record), items, faults };
}

function salvageItems(
  table: RecordTable,
  { first, record }: RecordRow,
  count: number,
  lengthAt: (seq: number) => number | undefined,
): Salvaged {
  if (table === 'leaves') return salvageEntries(record, count, first);
  return salvageDetails(
    record,
    Array.from({ length: count }, (_, i) => lengthAt(first + i)),
  );
}

/** Of an entry as `salvageRow` gives it. */
export function detailLengthOf(preimage: Buffer | undefined): number | undefined {
  try {
    return preimage === undefined ? undefined : decodeLeaf(preimage.subarray(1)).detailLength;
  } catch {
    return undefined;
  }
}

function statedCommit(record: Buffer): number {
  return record.length >= RECORD_HEADER_BYTES ? Number(record.readBigUInt64BE(1)) : -1;
}

function statedCount(record: Buffer): number {
  return record.length >= RECORD_HEADER_BYTES ? record.readUInt32BE(RECORD_HEADER_BYTES - 4) : 0;
}

function isFilledBy(record: Buffer, lengthBytes: number, { items }: Salvaged): boolean {
  const end = items.reduce((at, item) => at + lengthBytes + (item?.length ?? Number.NaN), RECORD_HEADER_BYTES);
  return end === record.length;
}

/** Items, where their lengths lead exactly to the end. */
function walkedCount(record: Buffer, lengthBytes: number): number | undefined {
  let count = 0;
  let offset = RECORD_HEADER_BYTES;
  for (; offset + lengthBytes <= record.length; count += 1)
    offset += lengthBytes + record.readUIntBE(offset, lengthBytes);
  return offset === record.length ? count : undefined;
}

function isInPlace({ first, epoch, batchId, record }: RecordRow): boolean {
  try {
    const header = readHeader(record);
    return header.firstSeq === first && header.epoch === epoch && Buffer.compare(header.batchId, batchId) === 0;
  } catch {
    return false;
  }
}
