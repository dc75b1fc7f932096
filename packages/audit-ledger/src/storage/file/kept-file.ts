/**
 * What a pruning kept of one range of entries: their leaves or their details, found by seq. Written once.
 *
 *     "SKP1" | items | count x (u64 seq | u32 length) | u32 count | SHA-256 of all before        (big-endian)
 */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { HASH_BYTES } from '../../tree/hash.js';
import { TamperedStoreError } from '../errors.js';
import { type Disk, nodeDisk } from './disk.js';

const MAGIC = Buffer.from('SKP1');
const ROW_BYTES = 8 + 4;
const TRAILER_BYTES = 4 + HASH_BYTES;
const CHUNK_BYTES = 2 ** 20;

export interface KeptItem {
  readonly seq: number;
  readonly bytes: Uint8Array;
}

/** Writes and syncs `path`; items come in ascending order. */
export async function writeKept(disk: Disk, path: string, items: AsyncIterable<KeptItem>): Promise<void> {
  const file = await disk.open(path, 'w', 0o640);
  try {
    const digest = createHash('sha256');
    const put = async (bytes: Uint8Array): Promise<void> => {
      digest.update(bytes);
      await file.writeFile(bytes);
    };
    await put(MAGIC);
    const rows: Buffer[] = [];
    for await (const { seq, bytes } of items) {
      await put(bytes);
      rows.push(rowOf(seq, bytes.length));
    }
    const count = Buffer.alloc(4);
    count.writeUInt32BE(rows.length);
    await put(Buffer.concat([...rows, count]));
    await file.writeFile(digest.digest());
    await file.sync();
  } finally {
    await file.close();
  }
}

/** No file stays open: a pruning may replace it. */
export class KeptFile {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #seqs: Float64Array;
  /** Where each item begins, and where the last one ends. */
  readonly #offsets: Float64Array;

  private constructor(disk: Disk, path: string, table: Buffer) {
    this.#disk = disk;
    this.#path = path;
    const count = table.length / ROW_BYTES;
    this.#seqs = new Float64Array(count);
    this.#offsets = new Float64Array(count + 1);
    this.#offsets[0] = MAGIC.length;
    for (let i = 0; i < count; i += 1) {
      this.#seqs[i] = Number(table.readBigUInt64BE(i * ROW_BYTES));
      this.#offsets[i + 1] = (this.#offsets[i] ?? 0) + table.readUInt32BE(i * ROW_BYTES + 8);
    }
  }

  /** Reads the table, not the items. @throws TamperedStoreError where it cannot be one */
  static async open(path: string, disk: Disk = nodeDisk): Promise<KeptFile> {
    return await withFile(disk, path, async (file) => {
      const { size } = await file.stat();
      const trailer = await readAt(file, size - TRAILER_BYTES, 4);
      const tableBytes = ROW_BYTES * (trailer.length === 4 ? trailer.readUInt32BE(0) : 0);
      const table = await readAt(file, size - TRAILER_BYTES - tableBytes, Math.min(tableBytes, size));
      const cut = table.length !== tableBytes;
      const kept = new KeptFile(disk, path, cut ? Buffer.alloc(0) : table);
      if (cut || (kept.#offsets.at(-1) ?? 0) + tableBytes + TRAILER_BYTES !== size)
        throw new TamperedStoreError(`${path} does not hold what its table says`);
      return kept;
    });
  }

  get seqs(): Float64Array {
    return this.#seqs;
  }

  async get(seq: number): Promise<Buffer | undefined> {
    const at = this.#find(seq);
    if (this.#seqs[at] !== seq) return undefined;
    return await withFile(this.#disk, this.#path, (file) => this.#item(file, at));
  }

  /** Items of entries [from, to). */
  async *items(from: number, to: number): AsyncGenerator<KeptItem & { readonly bytes: Buffer }> {
    const first = this.#find(from);
    const end = this.#find(to);
    if (first >= end) return;
    const file = await this.#disk.open(this.#path, 'r');
    try {
      for (let at = first; at < end; at += 1) yield { seq: this.#seqs[at] ?? 0, bytes: await this.#item(file, at) };
    } finally {
      await file.close();
    }
  }

  /** Whether every byte is as it was written. */
  async intact(): Promise<boolean> {
    return await withFile(this.#disk, this.#path, async (file) => {
      const { size } = await file.stat();
      const digest = createHash('sha256');
      const end = size - HASH_BYTES;
      for (let at = 0; at < end; at += CHUNK_BYTES)
        digest.update(await readAt(file, at, Math.min(CHUNK_BYTES, end - at)));
      const magic = await readAt(file, 0, MAGIC.length);
      return magic.equals(MAGIC) && digest.digest().equals(await readAt(file, end, HASH_BYTES));
    });
  }

  async #item(file: FileHandle, at: number): Promise<Buffer> {
    const [start = 0, end = 0] = this.#offsets.subarray(at, at + 2);
    const bytes = await readAt(file, start, end - start);
    if (bytes.length !== end - start) throw new TamperedStoreError(`${this.#path} is cut short`);
    return bytes;
  }

  /** Index of the first item at or after `seq`. */
  #find(seq: number): number {
    let low = 0;
    let high = this.#seqs.length;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((this.#seqs[middle] ?? 0) < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

async function withFile<T>(disk: Disk, path: string, read: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await disk.open(path, 'r');
  try {
    return await read(file);
  } finally {
    await file.close();
  }
}

function rowOf(seq: number, length: number): Buffer {
  const row = Buffer.alloc(ROW_BYTES);
  row.writeBigUInt64BE(BigInt(seq), 0);
  row.writeUInt32BE(length, 8);
  return row;
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(Math.max(length, 0));
  const { bytesRead } = await file.read(bytes, 0, bytes.length, Math.max(position, 0));
  return bytes.subarray(0, bytesRead);
}
