/**
 * A tree out of a store that is not believed: every hash is held against the signed root before it is used. The tiles of the
 * right edge must fold to the root; a full tile must be what its parent says of it.
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
  readonly #source: TileSource;
  /** The newest, partial tile of each level. */
  readonly #edge: ReadonlyMap<number, Uint8Array>;
  readonly #full = new Map<string, Uint8Array>();
  readonly #nodes: NodeReader;

  private constructor(checkpoint: Checkpoint, source: TileSource, edge: ReadonlyMap<number, Uint8Array>) {
    this.checkpoint = checkpoint;
    this.#source = source;
    this.#edge = edge;
    this.#nodes = new NodeReader((tile) => this.tile(tile), checkpoint.size);
  }

  /** @throws UnverifiableError where the right edge does not fold to the root */
  static async open(checkpoint: Checkpoint, source: TileSource): Promise<VerifiedTree> {
    const edge = new Map<number, Uint8Array>();
    const { size, root } = checkpoint;
    const nodes = new NodeReader(async (tile) => {
      const bytes = edge.get(tile.level) ?? (await source(tile));
      edge.set(tile.level, bytes);
      return bytes;
    }, size);
    if (Buffer.compare(await checked(nodes.root(size)), root) !== 0)
      throw new UnverifiableError(`the stored tree is not the one that was signed at ${size} entries`);
    return new VerifiedTree(checkpoint, source, edge);
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
    const [bytes, above] = await Promise.all([
      checked(this.#source({ kind: 'hashes', level, index, width: TILE_WIDTH })),
      this.tile({ ...parent, width }),
    ]);
    const at = (index % TILE_WIDTH) * HASH_BYTES;
    const expected = above.subarray(at, at + HASH_BYTES);
    const root = await checked(Promise.resolve().then(() => merkleTreeHash(tileHashes(bytes, TILE_WIDTH))));
    if (Buffer.compare(root, expected) !== 0)
      throw new UnverifiableError(`tile ${level}/${index} is not part of the signed tree`);
    return bytes;
  }
}

async function checked<T>(reading: Promise<T>): Promise<T> {
  return await reading.catch((error: unknown) => {
    throw error instanceof MalformedTileError ? new UnverifiableError(error.message) : error;
  });
}
