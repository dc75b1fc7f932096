/**
 * How the log is cut into partitions: by position and never by time, so that a seq leads to its rows without a look-up, and no
 * partition grows once the log has passed it. Bytes of a full one, typical (300-byte details, 100 entries per commit) and at most:
 *
 * | table   | holds                   | typical | at most                                                            |
 * |---------|-------------------------|---------|--------------------------------------------------------------------|
 * | leaves  | 65,536 entries          | 14 MB   | 51 MB (leaves of 624 bytes, one per row with 150 of key and header) |
 * | details | 1,024 entries           | 0.4 MB  | 67 MB (details of 64 KiB each)                                     |
 * | hashes  | 65,536 hashes           | 2.2 MB  | 6 MB (one hash per row)                                            |
 * | marks   | 1,024 commits           | 0.1 MB  | 20 MB (each with 64 producers; at the limit of 1,024 each 300 MB)  |
 * | blocks  | one index block         | 0.9 MB  | 17 MB (65,536 GPUs with names of 255 bytes)                        |
 */
import { BLOCK_ENTRIES } from '../../index/block.js';
import { TILE_WIDTH } from '../../tiles/path.js';

export const ENTRIES_PER_BUCKET = BLOCK_ENTRIES;
export const DETAILS_PER_BUCKET = 4 * TILE_WIDTH;
export const HASHES_PER_BUCKET = BLOCK_ENTRIES;
export const COMMITS_PER_BUCKET = 1024;

/** Rows end where a bundle ends. */
export function bundleEnd(seq: number): number {
  return bundleStart(seq) + TILE_WIDTH;
}

export function bundleStart(seq: number): number {
  return Math.floor(seq / TILE_WIDTH) * TILE_WIDTH;
}

/** Parts of [from, to), none across a multiple of `step`. */
export function* parts(
  from: number,
  to: number,
  step: number,
): Generator<{ from: number; to: number; bucket: number }> {
  for (let start = from; start < to; ) {
    const bucket = Math.floor(start / step);
    const end = Math.min(to, (bucket + 1) * step);
    yield { from: start, to: end, bucket };
    start = end;
  }
}
