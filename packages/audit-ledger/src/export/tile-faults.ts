/** Binds every hash tile of an export to the signed root: a full tile by its hash in the tile above it, the partial ones by the root itself. */
import type { Checkpoint } from '../note/checkpoint.js';
import { MalformedTileError, NodeReader, tileHashes } from '../tiles/node-reader.js';
import { type HashTile, TILE_WIDTH, tileWidth } from '../tiles/path.js';
import { merkleTreeHash } from '../tree/mth.js';
import type { SourceFault } from '../verify/source.js';
import { hashTilesOf, type SeqRange } from './layout.js';

type ReadTile = (tile: HashTile) => Promise<Uint8Array | undefined>;

/** Each where nothing narrower explains it: a damaged tile contradicts the one above it as well. */
export async function tileFaults(range: SeqRange, checkpoint: Checkpoint, read: ReadTile): Promise<SourceFault[]> {
  const { size } = checkpoint;
  const faults: SourceFault[] = [];
  const bytesOf = async (tile: HashTile): Promise<Uint8Array> => (await read(tile)) ?? new Uint8Array();
  for (const tile of hashTilesOf(range, size)) {
    const above = parentOf(tile, size);
    const what = await faultOf(tile, above, bytesOf);
    if (what !== undefined) add(faults, { ...reach(tile, size), what });
  }
  const root = await new NodeReader(bytesOf, size).root(size).catch(malformed);
  if (root === undefined || Buffer.compare(root, checkpoint.root) !== 0)
    add(faults, { first: 0, last: size - 1, what: 'hash tiles do not add up to the root that was signed' });
  return faults;
}

async function faultOf(
  tile: HashTile,
  above: HashTile | undefined,
  bytesOf: (tile: HashTile) => Promise<Uint8Array>,
): Promise<string | undefined> {
  const name = `hash tile ${tile.level}/${tile.index}`;
  try {
    const hashes = tileHashes(await bytesOf(tile), tile.width);
    if (above === undefined) return undefined;
    const stated = tileHashes(await bytesOf(above), above.width)[tile.index % TILE_WIDTH];
    const fits = stated !== undefined && Buffer.compare(merkleTreeHash(hashes), stated) === 0;
    return fits ? undefined : `${name} or its hash in the tile above it was altered`;
  } catch (error) {
    return malformed(error) ?? `${name} is missing or malformed`;
  }
}

/** The tile that holds the hash of a full one; a partial tile has none. */
function parentOf({ level, index, width }: HashTile, size: number): HashTile | undefined {
  if (width < TILE_WIDTH) return undefined;
  const above = { level: level + 1, index: Math.floor(index / TILE_WIDTH) };
  return { kind: 'hashes', ...above, width: tileWidth(size, above.level, above.index) };
}

/** Entries under a tile. */
function reach({ level, index, width }: HashTile, size: number): { first: number; last: number } {
  const span = TILE_WIDTH ** level;
  const first = index * TILE_WIDTH * span;
  return { first, last: Math.min(first + width * span, size) - 1 };
}

function add(faults: SourceFault[], fault: SourceFault): void {
  if (!faults.some(({ first, last }) => first >= fault.first && last <= fault.last)) faults.push(fault);
}

function malformed(error: unknown): undefined {
  if (error instanceof MalformedTileError) return undefined;
  throw error;
}
