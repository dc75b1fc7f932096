/**
 * Hashes of the tree, one column per tile level, each cut into files of 65,536 hashes: tile (L, N) is 8 KiB of column L.
 * They can be rebuilt from the entries, so a write that fails delays nobody: the hashes stay in memory until one succeeds.
 */
import { constants } from 'node:fs/promises';
import { join } from 'node:path';
import type { TileNode } from '../../commit/build.js';
import { type HashTile, TILE_WIDTH, tileWidth } from '../../tiles/path.js';
import { HASH_BYTES } from '../../tree/hash.js';
import { type Disk, nodeDisk } from './disk.js';
import { orUndefined } from './errno.js';
import { writeAt } from './files.js';

export const HASHES_PER_FILE = TILE_WIDTH * TILE_WIDTH;

/** The files end before what is asked for. */
export class ShortColumnError extends Error {
  override readonly name = 'ShortColumnError';
}

export class HashColumns {
  readonly #directory: string;
  readonly #disk: Disk;
  readonly #unwritten = new Map<number, Tail>();
  /** Levels whose folders are there. */
  readonly #made = new Set<number>();
  #size: number;

  /** `size` is that of the tree whose hashes the files hold. */
  constructor(directory: string, size: number, disk: Disk = nodeDisk) {
    this.#directory = directory;
    this.#disk = disk;
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  /** Leaf hashes that are not on disk yet. */
  get unwritten(): number {
    return this.#unwritten.get(0)?.hashes.length ?? 0;
  }

  /** Takes the nodes that complete a tree of `size`; they are readable at once, and on disk after `flush`. */
  append(size: number, nodes: readonly TileNode[]): void {
    for (const { tileLevel, hash } of nodes) {
      const tail = this.#unwritten.get(tileLevel) ?? {
        first: Math.floor(this.#size / TILE_WIDTH ** tileLevel),
        hashes: [],
      };
      tail.hashes.push(hash);
      this.#unwritten.set(tileLevel, tail);
    }
    this.#size = size;
  }

  async flush(): Promise<void> {
    for (const [level, tail] of [...this.#unwritten]) {
      const count = tail.hashes.length;
      await this.#write(level, tail.first, Buffer.concat(tail.hashes));
      tail.first += count;
      tail.hashes.splice(0, count);
      if (tail.hashes.length === 0) this.#unwritten.delete(level);
    }
  }

  /** Bytes of a tile, or of the start of one; undefined where the tree does not reach it. */
  async read(tile: HashTile): Promise<Uint8Array | undefined> {
    if (tile.width > tileWidth(this.#size, tile.level, tile.index)) return undefined;
    return await this.readHashes(tile.level, tile.index * TILE_WIDTH, tile.width);
  }

  /** Hashes [first, first + count) of a column, which must not cross a tile's end. */
  async readHashes(level: number, first: number, count: number): Promise<Buffer> {
    const tail = this.#unwritten.get(level);
    const inMemory =
      tail === undefined
        ? []
        : tail.hashes.slice(Math.max(first - tail.first, 0), Math.max(first + count - tail.first, 0));
    const onDisk = await this.#read(level, first, count - inMemory.length);
    return Buffer.concat([onDisk, ...inMemory]);
  }

  /** Makes what one file of 65,536 leaf hashes stands for survive a power cut, with the levels above it. */
  async sync(block: number): Promise<void> {
    for (let level = 0, index = block; ; level += 1, index = Math.floor(index / TILE_WIDTH)) {
      const path = this.#path(level, index);
      const file = await orUndefined(this.#disk.open(path, 'r+'));
      if (file === undefined) return;
      await file.sync().finally(() => file.close());
      await this.#disk.syncDirectory(join(this.#directory, String(level)));
    }
  }

  async #write(level: number, first: number, hashes: Buffer): Promise<void> {
    if (!this.#made.has(level)) await this.#disk.makeDirectory(join(this.#directory, String(level)));
    this.#made.add(level);
    for (let done = 0; done < hashes.length; ) {
      const position = first * HASH_BYTES + done;
      const fileBytes = HASHES_PER_FILE * HASH_BYTES;
      const part = hashes.subarray(done, done + fileBytes - (position % fileBytes));
      await this.#writeAt(this.#path(level, Math.floor(position / fileBytes)), part, position % fileBytes);
      done += part.length;
    }
  }

  async #read(level: number, first: number, count: number): Promise<Buffer> {
    const bytes = Buffer.alloc(count * HASH_BYTES);
    if (count === 0) return bytes;
    const file = await orUndefined(this.#disk.open(this.#path(level, Math.floor(first / HASHES_PER_FILE)), 'r'));
    if (file === undefined) throw new ShortColumnError(`column ${level} has no hash ${first}`);
    try {
      const { bytesRead } = await file.read(bytes, 0, bytes.length, (first % HASHES_PER_FILE) * HASH_BYTES);
      if (bytesRead !== bytes.length) throw new ShortColumnError(`column ${level} ends before hash ${first + count}`);
      return bytes;
    } finally {
      await file.close();
    }
  }

  async #writeAt(path: string, bytes: Buffer, position: number): Promise<void> {
    const file = await this.#disk.open(path, constants.O_RDWR | constants.O_CREAT, 0o640);
    try {
      await writeAt(file, bytes, position);
    } finally {
      await file.close();
    }
  }

  #path(level: number, index: number): string {
    return join(this.#directory, String(level), String(index).padStart(10, '0'));
  }
}

interface Tail {
  /** Index in the column of the first hash. */
  first: number;
  readonly hashes: Buffer[];
}
