/**
 * Hashes of the tree, one column per tile level, each cut into files of 65,536 hashes: tile (L, N) is 8 KiB of column L.
 * They can be rebuilt from the entries, so a write that fails delays nobody: the hashes stay in memory until one succeeds.
 */
import { constants } from 'node:fs/promises';
import { join } from 'node:path';
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
    return this.#unwritten.get(0)?.count ?? 0;
  }

  /** Takes what each tile level gains where the tree grows to `size`; it is readable at once, and on disk after `flush`. */
  append(size: number, columns: readonly Buffer[]): void {
    for (const [level, hashes] of columns.entries()) {
      if (hashes.length === 0) continue;
      const tail = this.#unwritten.get(level) ?? {
        first: Math.floor(this.#size / TILE_WIDTH ** level),
        parts: [],
        count: 0,
      };
      tail.parts.push(hashes);
      tail.count += hashes.length / HASH_BYTES;
      this.#unwritten.set(level, tail);
    }
    this.#size = size;
  }

  async flush(): Promise<void> {
    for (const [level, tail] of [...this.#unwritten]) {
      const bytes = joined(tail);
      await this.#write(level, tail.first, bytes);
      const rest = joined(tail).subarray(bytes.length);
      tail.first += bytes.length / HASH_BYTES;
      tail.count -= bytes.length / HASH_BYTES;
      tail.parts = rest.length === 0 ? [] : [rest];
      if (tail.count === 0) this.#unwritten.delete(level);
    }
  }

  /** Bytes of a tile, or of the start of one; undefined where the tree does not reach it. */
  async read(tile: HashTile): Promise<Uint8Array | undefined> {
    if (tile.width > tileWidth(this.#size, tile.level, tile.index)) return undefined;
    return await this.readHashes(tile.level, tile.index * TILE_WIDTH, tile.width);
  }

  /** The same; undefined also where the files have lost it, or whoever writes them has yet to. */
  async readIfThere(tile: HashTile): Promise<Uint8Array | undefined> {
    return await orNothing(this.read(tile));
  }

  async readHashesIfThere(level: number, first: number, count: number): Promise<Buffer | undefined> {
    return await orNothing(this.readHashes(level, first, count));
  }

  /** Hashes [first, first + count) of a column, which must not cross a file's end. */
  async readHashes(level: number, first: number, count: number): Promise<Buffer> {
    const tail = this.#unwritten.get(level);
    if (tail === undefined || first + count <= tail.first) return await this.#read(level, first, count);
    const inMemory = joined(tail).subarray(
      Math.max(first - tail.first, 0) * HASH_BYTES,
      (first + count - tail.first) * HASH_BYTES,
    );
    if (inMemory.length === count * HASH_BYTES) return inMemory;
    return Buffer.concat([await this.#read(level, first, count - inMemory.length / HASH_BYTES), inMemory]);
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

/** Where a tile lies in the folder of the columns. */
export function placeOfTile({ level, index }: HashTile): { readonly file: string; readonly position: number } {
  const first = index * TILE_WIDTH;
  return {
    file: join(String(level), String(Math.floor(first / HASHES_PER_FILE)).padStart(10, '0')),
    position: (first % HASHES_PER_FILE) * HASH_BYTES,
  };
}

interface Tail {
  /** Index in the column of the first hash. */
  first: number;
  parts: Buffer[];
  /** Hashes in all parts. */
  count: number;
}

/** Its bytes; the parts become one, so that asking again costs nothing. */
function joined(tail: Tail): Buffer {
  if (tail.parts.length > 1) tail.parts = [Buffer.concat(tail.parts)];
  return tail.parts[0] ?? Buffer.alloc(0);
}

async function orNothing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof ShortColumnError) return undefined;
    throw error;
  }
}
