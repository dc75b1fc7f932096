/** What an export says of itself. Every member is checked by whoever verifies it, so there is none that cannot be. */
import type { SeqRange } from './layout.js';

export const EXPORT_FORMAT = 'sentinel-ledger-export/2';

export interface Manifest extends SeqRange {
  readonly format: typeof EXPORT_FORMAT;
  readonly origin: string;
  /** Of the tree that the checkpoint signs. */
  readonly size: number;
  /** Details that are there. */
  readonly details: number;
  /** Entries whose details are not there, as [first, last]. */
  readonly missing_details: readonly (readonly [number, number])[];
  /** Bundles of entries below are gone; what was kept of them is in `kept/`. 0 = none. */
  readonly pruned_leaves_end: number;
  /** Entries below that were kept, within the range or not, as [first, last]: the digest of them is in the entry that announced it. */
  readonly kept_leaves: readonly (readonly [number, number])[];
  /** SHA-256 in hexadecimal of each file that the tree does not bind, by path. */
  readonly files: Readonly<Record<string, string>>;
}

export class MalformedManifestError extends Error {
  override readonly name = 'MalformedManifestError';
}

export function writeManifest(manifest: Manifest): Buffer {
  return Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`);
}

/** @throws MalformedManifestError for any bytes that `writeManifest` would not write */
export function readManifest(bytes: Buffer): Manifest {
  const manifest = parse(bytes);
  const canonical = writeManifest({
    format: EXPORT_FORMAT,
    origin: manifest.origin,
    size: manifest.size,
    first: manifest.first,
    last: manifest.last,
    details: manifest.details,
    missing_details: manifest.missing_details,
    pruned_leaves_end: manifest.pruned_leaves_end,
    kept_leaves: manifest.kept_leaves,
    files: manifest.files,
  });
  const { first, last, size, details } = manifest;
  const { pruned_leaves_end: end, missing_details: missing, kept_leaves: kept } = manifest;
  if (!canonical.equals(bytes) || ![first, last, size, details, end].every(isCount))
    throw new MalformedManifestError('manifest is not as it was written');
  if (!areRanges(missing, first, last) || !areRanges(kept, 0, end - 1) || end > size)
    throw new MalformedManifestError('manifest is not as it was written');
  if (first > last || last >= size) throw new MalformedManifestError('manifest states a range that is not in its log');
  return manifest;
}

function parse(bytes: Buffer): Manifest {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value === 'object' && value !== null) return value as Manifest;
  } catch {
    // What cannot be parsed is as malformed as what parses to something else.
  }
  throw new MalformedManifestError('manifest is not a JSON object');
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Ascending, apart, and between `from` and `to`. */
function areRanges(value: unknown, from: number, to: number): boolean {
  let next = from;
  const fits = (range: unknown): boolean => {
    if (!Array.isArray(range) || range.length !== 2 || !range.every(isCount)) return false;
    const [first, last] = range as [number, number];
    const inOrder = first >= next && last >= first && last <= to;
    next = last + 2;
    return inOrder;
  };
  return Array.isArray(value) && value.every(fits);
}

/** Puts seqs that come in order together to ranges. */
export class Ranges {
  readonly list: [number, number][] = [];

  add(seq: number): void {
    const last = this.list.at(-1);
    if (last?.[1] === seq - 1) last[1] = seq;
    else this.list.push([seq, seq]);
  }
}

/** Whether ascending ranges hold `seq`. */
export function holds(ranges: readonly (readonly [number, number])[], seq: number): boolean {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((ranges[middle]?.[1] ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return (ranges[low]?.[0] ?? seq + 1) <= seq;
}
