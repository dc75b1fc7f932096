/**
 * Where each commit lies: one row per commit, so that a seq is found by halving. Derived from the entries and rebuilt where
 * a crash cut it; rows not yet written stay in memory.
 *
 *     row = u64 first_seq | u32 segment, u32 offset of the entries record | u32 segment, u32 offset of the details record
 */
import { constants, type FileHandle } from 'node:fs/promises';
import type { Position } from '@sentinel/service-kit/segment-log';
import { type Disk, nodeDisk } from './disk.js';
import { orUndefined } from './errno.js';
import { writeAt } from './files.js';

export const ROW_BYTES = 8 + 2 * 8;

export interface CommitRow {
  readonly firstSeq: number;
  readonly entries: Position;
  readonly details: Position;
}

export class CommitTable {
  readonly #file: FileHandle;
  /** Rows on disk. */
  #written: number;
  #tail: CommitRow[] = [];
  /** The row found last: readers go forward. */
  #last = 0;

  private constructor(file: FileHandle, written: number) {
    this.#file = file;
    this.#written = written;
  }

  /** Opens for writing, keeping at most `commits` rows. */
  static async open(path: string, commits: number, disk: Disk = nodeDisk): Promise<CommitTable> {
    const file = await disk.open(path, constants.O_RDWR | constants.O_CREAT, 0o640);
    const kept = Math.min(commits, Math.floor((await file.stat()).size / ROW_BYTES));
    await file.truncate(kept * ROW_BYTES);
    return new CommitTable(file, kept);
  }

  /** Opens for reading; undefined where there is none. */
  static async openReadOnly(path: string): Promise<CommitTable | undefined> {
    const file = await orUndefined(nodeDisk.open(path, 'r'));
    return file === undefined ? undefined : new CommitTable(file, Math.floor((await file.stat()).size / ROW_BYTES));
  }

  /** Takes notice of rows that another process wrote. */
  async refresh(): Promise<void> {
    this.#written = Math.floor((await this.#file.stat()).size / ROW_BYTES);
  }

  get count(): number {
    return this.#written + this.#tail.length;
  }

  append(row: CommitRow): void {
    this.#tail.push(row);
  }

  async flush(): Promise<void> {
    const rows = this.#tail.slice();
    if (rows.length === 0) return;
    const bytes = Buffer.concat(rows.map(encodeRow));
    await writeAt(this.#file, bytes, this.#written * ROW_BYTES);
    this.#written += rows.length;
    this.#tail = this.#tail.slice(rows.length);
  }

  /** Makes flushed rows survive a power cut. */
  async sync(): Promise<void> {
    await this.#file.datasync();
  }

  /** Makes `commit` the next row. Rows before it that were lost, of commits whose records are pruned, become zeros. */
  async beginAt(commit: number): Promise<void> {
    this.#tail = [];
    this.#written = commit;
    await this.#file.truncate(this.#written * ROW_BYTES);
  }

  async row(commit: number): Promise<CommitRow | undefined> {
    if (commit < 0 || commit >= this.count) return undefined;
    if (commit >= this.#written) return this.#tail[commit - this.#written];
    const bytes = Buffer.allocUnsafe(ROW_BYTES);
    const { bytesRead } = await this.#file.read(bytes, 0, ROW_BYTES, commit * ROW_BYTES);
    return bytesRead === ROW_BYTES ? decodeRow(bytes) : undefined;
  }

  /** Number of the commit that holds `seq`, which must be in the log. */
  async find(seq: number): Promise<number> {
    for (const guess of [this.#last, this.#last + 1]) {
      const [row, next] = await Promise.all([this.row(guess), this.row(guess + 1)]);
      if (row !== undefined && row.firstSeq <= seq && seq < (next?.firstSeq ?? row.firstSeq + 1))
        return this.#remember(guess);
    }
    let low = 0;
    let high = this.count - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (((await this.row(middle))?.firstSeq ?? Number.POSITIVE_INFINITY) <= seq) low = middle;
      else high = middle - 1;
    }
    return this.#remember(low);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  #remember(commit: number): number {
    this.#last = commit;
    return commit;
  }
}

/** Where the row of a commit lies in the file, and its bytes. */
export function storedRow(commit: number, row: CommitRow): { readonly position: number; readonly bytes: Buffer } {
  return { position: commit * ROW_BYTES, bytes: encodeRow(row) };
}

function encodeRow({ firstSeq, entries, details }: CommitRow): Buffer {
  const row = Buffer.allocUnsafe(ROW_BYTES);
  row.writeBigUInt64BE(BigInt(firstSeq), 0);
  row.writeUInt32BE(entries.segment, 8);
  row.writeUInt32BE(entries.offset, 12);
  row.writeUInt32BE(details.segment, 16);
  row.writeUInt32BE(details.offset, 20);
  return row;
}

function decodeRow(row: Buffer): CommitRow {
  return {
    firstSeq: Number(row.readBigUInt64BE(0)),
    entries: { segment: row.readUInt32BE(8), offset: row.readUInt32BE(12) },
    details: { segment: row.readUInt32BE(16), offset: row.readUInt32BE(20) },
  };
}
