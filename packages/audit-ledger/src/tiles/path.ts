/** C2SP tlog-tiles: names and geometry. A tile holds up to 256 hashes of one level; level L counts in steps of 8. */

export const TILE_HEIGHT = 8;
export const TILE_WIDTH = 2 ** TILE_HEIGHT;

export interface HashTile {
  readonly kind: 'hashes';
  /** 0..5: hashes in this tile are roots of perfect subtrees of height 8 x level. */
  readonly level: number;
  readonly index: number;
  /** Hashes in the tile, 1..256; below 256 the tile is partial. */
  readonly width: number;
}

export interface EntryTile {
  readonly kind: 'entries';
  readonly index: number;
  readonly width: number;
}

export type Tile = HashTile | EntryTile;

const MAX_TILE_LEVEL = 5;
const PATH = /^tile\/(entries|\d)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

/** 1234067 -> x001/x234/067 */
export function encodeTileIndex(index: number): string {
  let path = threeDigits(index % 1000);
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    path = `x${threeDigits(rest % 1000)}/${path}`;
  }
  return path;
}

/** Path below the log's prefix, without a leading slash. */
export function tilePath(tile: Tile): string {
  const level = tile.kind === 'entries' ? 'entries' : String(tile.level);
  const partial = tile.width === TILE_WIDTH ? '' : `.p/${tile.width}`;
  return `tile/${level}/${encodeTileIndex(tile.index)}${partial}`;
}

/** Null for anything that is not the one canonical path of a tile. */
export function parseTilePath(path: string): Tile | null {
  const match = PATH.exec(path);
  if (match === null) return null;
  const [, level = '', digits = '', partial] = match;
  const index = Number(digits.replaceAll(/[x/]/g, ''));
  const width = partial === undefined ? TILE_WIDTH : Number(partial);
  const tile: Tile =
    level === 'entries' ? { kind: 'entries', index, width } : { kind: 'hashes', level: Number(level), index, width };
  const legal = Number.isSafeInteger(index) && (tile.kind === 'entries' || tile.level <= MAX_TILE_LEVEL);
  return legal && tilePath(tile) === path ? tile : null;
}

/** Hashes that a tree of `size` leaves has at tile level `level`. */
export function hashesAtLevel(size: number, level: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** Width that tile (level, index) has in a tree of `size` leaves; 0 where the tree does not reach it. */
export function tileWidth(size: number, level: number, index: number): number {
  return Math.min(TILE_WIDTH, Math.max(0, hashesAtLevel(size, level) - index * TILE_WIDTH));
}

/** Hash tiles of every level that speak of these entries, in a tree of `size` leaves. */
export function tilesOver(seqs: readonly number[], size: number): HashTile[] {
  const tiles: HashTile[] = [];
  for (let level = 0; hashesAtLevel(size, level) > 0; level += 1)
    for (const index of new Set(seqs.map((seq) => Math.floor(seq / TILE_WIDTH ** (level + 1))))) {
      const width = tileWidth(size, level, index);
      if (width > 0) tiles.push({ kind: 'hashes', level, index, width });
    }
  return tiles;
}

function threeDigits(value: number): string {
  return String(value).padStart(3, '0');
}
