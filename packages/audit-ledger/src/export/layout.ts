/**
 * What an export holds: bundles and hash tiles at the paths of C2SP tlog-tiles, the details of each bundle, the signed checkpoint,
 * the verifier key, a manifest, and the program that verifies them.
 */
import { encodeTileIndex, type HashTile, hashesAtLevel, TILE_WIDTH, tileWidth } from '../tiles/path.js';

export const CHECKPOINT_PATH = 'checkpoint';
export const VERIFIER_KEY_PATH = 'verifier-key';
export const MANIFEST_PATH = 'manifest.json';
/** How keys of the log handed over to the next. */
export const ROTATIONS_PATH = 'rotations.jsonl';
/** What goes with every export: the programs that verify it, and how to use them. */
export const OFFLINE_PATHS = [
  'verify.mjs',
  'recount.mjs',
  'verify.py',
  'recount.py',
  'definitions.json',
  'README.txt',
] as const;
/** Who made it: signs the manifest, and so is not in it. */
export const ATTESTATION_PATH = 'attestation.json';
/** Entries beyond the range that speak for it. */
export const PROVED_PATH = 'proved.jsonl';

/** What a manifest may list: the tree binds everything else. */
export const LISTED: ReadonlySet<string> = new Set([
  CHECKPOINT_PATH,
  VERIFIER_KEY_PATH,
  PROVED_PATH,
  ROTATIONS_PATH,
  ...OFFLINE_PATHS,
  'report.json',
  'report.csv',
  'report.pdf',
]);

/** Entries first to last, both included. */
export interface SeqRange {
  readonly first: number;
  readonly last: number;
}

export function detailsPath(bundle: number): string {
  return `details/${encodeTileIndex(bundle)}.jsonl`;
}

/** Leaves that were kept of a bundle that was pruned. */
export function keptPath(bundle: number): string {
  return `kept/${encodeTileIndex(bundle)}.jsonl`;
}

export function* bundlesOf({ first, last }: SeqRange): Generator<number> {
  for (let index = Math.floor(first / TILE_WIDTH); index <= Math.floor(last / TILE_WIDTH); index += 1) yield index;
}

/**
 * Tiles that prove a range in a tree of `size` leaves: those over the range at every level, and at each level the partial one at the
 * right edge, out of which the root is computed. So each is bound to the root, by the tile above it or directly.
 */
export function* hashTilesOf(range: SeqRange, size: number): Generator<HashTile> {
  for (let level = 0; hashesAtLevel(size, level) > 0; level += 1) {
    const span = TILE_WIDTH ** (level + 1);
    const edge = Math.floor(hashesAtLevel(size, level) / TILE_WIDTH);
    const last = Math.floor(range.last / span);
    for (let index = Math.floor(range.first / span); index <= last; index += 1) yield* existing(size, level, index);
    if (edge > last) yield* existing(size, level, edge);
  }
}

function* existing(size: number, level: number, index: number): Generator<HashTile> {
  const width = tileWidth(size, level, index);
  if (width > 0) yield { kind: 'hashes', level, index, width };
}
