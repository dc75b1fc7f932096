/** From what a person writes as --from and --to to a range of entries: by number, or by the time at which the ledger took them. */
import { SentinelError } from '@sentinel/service-kit/errors';
import { decodeLeaf } from '../leaf/leaf.js';
import { decodeBundle } from '../tiles/bundle.js';
import { TILE_WIDTH, tileWidth } from '../tiles/path.js';
import { type LogSource, SourceError } from '../verify/source.js';
import type { SeqRange } from './layout.js';

export interface Period {
  /** A seq, a date (UTC, whole day) or a time; undefined = from the first entry. */
  readonly from: string | undefined;
  /** The same, included where it is a seq or a date, excluded where it is a time; undefined = to the newest entry. */
  readonly to: string | undefined;
}

const DAY_US = 86_400_000_000;

/** @throws SentinelError naming the flag, also where the period holds no entry */
export async function rangeOf({ from, to }: Period, source: LogSource, size: number): Promise<SeqRange> {
  const first = await boundOf('--from', from, 0, 0, source, size);
  const end = await boundOf('--to', to, size, DAY_US, source, size);
  if (first < end) return { first, last: end - 1 };
  throw new SentinelError({
    code: 'INVALID_ARGUMENT',
    field: '--from',
    message: `the log of ${size} entries has none in this period`,
    hint: 'Times are UTC and those at which the ledger took the entries.',
  });
}

/** A period as instants, [from, to) in ISO 8601; '' where it was not given as a time, and so claims none. */
export interface Instants {
  readonly from: string;
  readonly to: string;
}

export function instantsOf({ from, to }: Period): Instants {
  return { from: instant('--from', from, 0), to: instant('--to', to, DAY_US) };
}

function instant(flag: string, text: string | undefined, dayUs: number): string {
  if (text === undefined || isSeq(text)) return '';
  return new Date(timeUsOf(flag, text, dayUs) / 1000).toISOString();
}

/** The first seq of what the text says, or, for an end, the first behind it. */
async function boundOf(
  flag: string,
  text: string | undefined,
  open: number,
  dayUs: number,
  source: LogSource,
  size: number,
): Promise<number> {
  if (text === undefined) return open;
  if (isSeq(text)) return Math.min(Number(text) + (dayUs > 0 ? 1 : 0), size);
  return await firstReceivedAt(timeUsOf(flag, text, dayUs), source, size);
}

function isSeq(text: string): boolean {
  return /^\d{1,15}$/.test(text);
}

/** Microseconds since the Unix epoch; of a date, with a day added where it is the end of a period. */
function timeUsOf(flag: string, text: string, dayUs: number): number {
  const ms = /^\d{4}-\d\d-\d\d/.test(text)
    ? Date.parse(text.length > 10 && !/(Z|[+-]\d\d:\d\d)$/.test(text) ? `${text}Z` : text)
    : Number.NaN;
  if (Number.isNaN(ms)) {
    const message = `${flag} must be the number of an entry, a date as 2026-11-27 or a time as 2026-11-27T08:00:00Z`;
    throw new SentinelError({ code: 'INVALID_ARGUMENT', field: flag, message });
  }
  return ms * 1000 + (text.length === 10 ? dayUs : 0);
}

/** The first entry that the ledger took at `timeUs` or later; `size` where there is none. Ledger times never decrease. */
async function firstReceivedAt(timeUs: number, source: LogSource, size: number): Promise<number> {
  const prunedEnd = (await source.pruned?.())?.leaves ?? 0;
  const start = prunedEnd / TILE_WIDTH;
  let [low, high] = [start, Math.ceil(size / TILE_WIDTH)];
  // The last bundle that begins before the time holds the first entry at it, or the next bundle begins with it.
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [first = 0] = await timesOf(middle, source, size);
    if (first < timeUs) low = middle + 1;
    else high = middle;
  }
  if (low === start) return await firstPrunedAt(timeUs, source, prunedEnd);
  const times = await timesOf(low - 1, source, size);
  const within = times.findIndex((time) => time >= timeUs);
  return Math.min((low - 1) * TILE_WIDTH + (within < 0 ? TILE_WIDTH : within), size);
}

/** Where leaves were pruned, those that were kept tell the time: behind the last one before `timeUs`. */
async function firstPrunedAt(timeUs: number, source: LogSource, prunedEnd: number): Promise<number> {
  let first = 0;
  for await (const { seq, leaf } of source.keptLeaves?.(0, prunedEnd) ?? []) {
    if (decodeLeaf(leaf).receivedUs >= timeUs) return first;
    first = seq + 1;
  }
  return first;
}

async function timesOf(index: number, source: LogSource, size: number): Promise<number[]> {
  const width = tileWidth(size, 0, index);
  try {
    const bundle = await source.tile({ kind: 'entries', index, width });
    return decodeBundle(bundle, width).map((leaf) => decodeLeaf(leaf).receivedUs);
  } catch (cause) {
    if (cause instanceof SourceError) throw cause;
    throw new SentinelError({
      code: 'DATA_LOSS',
      message: `entries ${index * TILE_WIDTH} to ${index * TILE_WIDTH + width - 1} cannot be read, so that nothing can be looked up by time`,
      hint: 'Run sentinel-audit-ledger verify --full, or give the numbers of entries.',
      cause,
    });
  }
}
