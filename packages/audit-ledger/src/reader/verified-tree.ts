/**
 * A tree out of stores that are not believed: every hash is held against the signed root before it is used. The tiles of the
 * right edge must fold to the root; a full tile must be what its parent says of it. A tile that one source has lost or damaged
 * is taken from the next.
 */
import type { Checkpoint } from '../note/checkpoint.js';
import { MalformedTileError, NodeReader, type TileSource, tileHashes } from '../tiles/node-reader.js';
import { type HashTile, hashesAtLevel, TILE_WIDTH, tileWidth } from '../tiles/path.js';
import { HASH_BYTES } from '../tree/hash.js';
import { merkleTreeHash } from '../tree/mth.js';

/** Full tiles kept once they were checked, 8 KiB each. */
const KEPT_TILES = 512;

/** What the store holds is not what was signed, or not yet all there. */
export class UnverifiableError extends Error {
  override readonly name = 'UnverifiableError';
}

export class VerifiedTree {
  readonly checkpoint: Checkpoint;
  readonly #sources: readonly TileSource[];
  /** The newest, partial tile of each level. */
  readonly #edge: ReadonlyMap<number, Uint8Array>;
  readonly #full = new Map<string, Uint8Array>();
  readonly #nodes: NodeReader;

  private constructor(checkpoint: Checkpoint, sources: readonly TileSource[], edge: ReadonlyMap<number, Uint8Array>) {
    this.checkpoint = checkpoint;
    this.#sources = sources;
    this.#edge = edge;
    this.#nodes = new NodeReader((tile) => this.tile(tile), checkpoint.size);
  }

  /** `sources` are asked in this order. @throws UnverifiableError where no right edge of theirs folds to the root */
  static async open(checkpoint: Checkpoint, ...sources: readonly TileSource[]): Promise<VerifiedTree> {
    const { size, root } = checkpoint;
    const asked = new Map<string, Promise<Uint8Array>>();
    for (const choice of choices(sources.length, edgeLevels(size))) {
      const edge = new Map<number, Uint8Array>();
      const nodes = new NodeReader(async (tile) => {
        const at = choice.get(tile.level) ?? 0;
        const key = `${at} of ${tile.level}`;
        const asking = asked.get(key) ?? checked(askedOf(sources, at, tile));
        asked.set(key, asking);
        const bytes = await asking;
        edge.set(tile.level, bytes);
        return bytes;
      }, size);
      const folded = await orUnverifiable(checked(nodes.root(size)));
      if (folded !== undefined && Buffer.compare(folded, root) === 0)
        return new VerifiedTree(checkpoint, sources, edge);
    }
    throw new UnverifiableError(`the stored tree is not the one that was signed at ${size} entries`);
  }

  /** Full tiles of `before` need not be checked again. To be called only once it is shown to be a prefix of this tree. */
  inherit(before: VerifiedTree): void {
    for (const [key, bytes] of before.#full) this.#keep(key, bytes);
  }

  /** Hashes of a tile, or of its beginning. @throws UnverifiableError */
  async tile({ level, index, width }: HashTile): Promise<Uint8Array> {
    const whole = tileWidth(this.checkpoint.size, level, index);
    if (width > whole) throw new UnverifiableError(`tile ${level}/${index} is beyond the signed tree`);
    const bytes = whole < TILE_WIDTH ? this.#edge.get(level) : await this.#fullTile(level, index);
    if (bytes === undefined) throw new UnverifiableError(`tile ${level}/${index} is missing`);
    return bytes.subarray(0, width * HASH_BYTES);
  }

  /** Hash of entry `seq`. @throws UnverifiableError */
  async leafHash(seq: number): Promise<Uint8Array> {
    const index = Math.floor(seq / TILE_WIDTH);
    const at = (seq % TILE_WIDTH) * HASH_BYTES;
    const bytes = await this.tile({ kind: 'hashes', level: 0, index, width: (seq % TILE_WIDTH) + 1 });
    return bytes.subarray(at, at + HASH_BYTES);
  }

  /** Root of the first `size` entries. @throws UnverifiableError */
  async rootAt(size: number): Promise<Uint8Array> {
    return await this.#nodes.root(size);
  }

  /** RFC 6962 proof from a tree of `size` entries to this one. @throws UnverifiableError */
  async consistencyProof(size: number): Promise<Uint8Array[]> {
    return await this.#nodes.consistencyProof(size, this.checkpoint.size);
  }

  async #fullTile(level: number, index: number): Promise<Uint8Array> {
    const key = `${level}/${index}`;
    const known = this.#full.get(key);
    const bytes = known ?? (await this.#checkedTile(level, index));
    this.#keep(key, bytes);
    return bytes;
  }

  #keep(key: string, bytes: Uint8Array): void {
    this.#full.delete(key);
    this.#full.set(key, bytes);
    const oldest = this.#full.keys().next();
    if (this.#full.size > KEPT_TILES && oldest.done !== true) this.#full.delete(oldest.value);
  }

  async #checkedTile(level: number, index: number): Promise<Uint8Array> {
    const parent = { kind: 'hashes', level: level + 1, index: Math.floor(index / TILE_WIDTH) } as const;
    const width = Math.min(TILE_WIDTH, hashesAtLevel(this.checkpoint.size, level + 1) - parent.index * TILE_WIDTH);
    const above = await this.tile({ ...parent, width });
    const at = (index % TILE_WIDTH) * HASH_BYTES;
    const expected = above.subarray(at, at + HASH_BYTES);
    const tile = { kind: 'hashes', level, index, width: TILE_WIDTH } as const;
    for (const source of this.#sources) {
      const bytes = await orUnverifiable(checked(source(tile)));
      const folded = bytes && orMalformed(() => merkleTreeHash(tileHashes(bytes, TILE_WIDTH)));
      if (bytes !== undefined && folded !== undefined && Buffer.compare(folded, expected) === 0) return bytes;
    }
    throw new UnverifiableError(`tile ${level}/${index} is not part of the signed tree`);
  }
}

/** Levels whose newest tile is a partial one. */
function edgeLevels(size: number): number[] {
  const levels: number[] = [];
  for (let level = 0; hashesAtLevel(size, level) > 0; level += 1)
    if (hashesAtLevel(size, level) % TILE_WIDTH > 0) levels.push(level);
  return levels;
}

/** Which source each level may come from, those with the first source before the others. */
function* choices(sources: number, levels: readonly number[]): Generator<ReadonlyMap<number, number>> {
  for (let n = 0; n < sources ** levels.length; n += 1)
    yield new Map(levels.map((level, i) => [level, Math.floor(n / sources ** i) % sources]));
}

function askedOf(sources: readonly TileSource[], at: number, tile: HashTile): Promise<Uint8Array> {
  return sources[at]?.(tile) ?? Promise.reject(new UnverifiableError('there is no such source'));
}

async function orUnverifiable<T>(reading: Promise<T>): Promise<T | undefined> {
  return await reading.catch((error: unknown) => {
    if (error instanceof UnverifiableError) return undefined;
    throw error;
  });
}

function orMalformed<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof MalformedTileError) return undefined;
    throw error;
  }
}

async function checked<T>(reading: Promise<T>): Promise<T> {
  return await reading.catch((error: unknown) => {
    throw error instanceof MalformedTileError ? new UnverifiableError(error.message) : error;
  });
}
