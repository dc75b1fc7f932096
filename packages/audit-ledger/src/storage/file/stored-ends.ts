/** Bytes behind the end of the files of a log: what a crash leaves there a start takes away, anything else somebody added. */
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FRAME_HEADER_BYTES, type Position, segmentPath } from '@sentinel/service-kit/segment-log';
import { RECORD_HEADER_BYTES } from '../../commit/record.js';
import { TILE_WIDTH } from '../../tiles/path.js';
import { HASH_BYTES } from '../../tree/hash.js';
import { ROW_BYTES } from './commit-table.js';
import { orUndefined } from './errno.js';
import { HASHES_PER_FILE } from './hash-columns.js';
import type { FileHead } from './head-file.js';
import { type Layout, MAX_RECORD_BYTES } from './layout.js';

/** As much of what follows as tells whose it is. */
const LOOKED_AT_BYTES = FRAME_HEADER_BYTES + RECORD_HEADER_BYTES;
/** Of a record header: its version, then the number of its commit. */
const COMMIT_AT = FRAME_HEADER_BYTES + 1;

/** @param readHead gives the head as it is once the files were looked at: a writer may be at work @returns in words */
export async function strayBytes(layout: Layout, readHead: () => Promise<FileHead | undefined>): Promise<string[]> {
  const sizes = [...(await columnSizes(layout)), ...(await tableSize(layout))];
  const head = await readHead();
  if (head === undefined) return [];
  const derived = sizes.flatMap(({ name, bytes, most }) =>
    bytes > most(head) ? [`file ${name} has ${bytes - most(head)} bytes too many, from byte ${most(head)} on`] : [],
  );
  const records = [
    await behind(layout.entries, 'entries', head.entriesEnd, head.commits),
    await behind(layout.details, 'details', head.detailsEnd, head.commits),
  ];
  return [...derived, ...records.flat()];
}

interface Sized {
  readonly name: string;
  readonly bytes: number;
  /** Bytes that it may have. */
  readonly most: (head: FileHead) => number;
}

async function columnSizes({ hashes }: Layout): Promise<Sized[]> {
  const found: Sized[] = [];
  const levels = ((await orUndefined(readdir(hashes))) ?? []).filter((name) => /^\d+$/.test(name));
  for (const level of levels)
    for (const name of (await orUndefined(readdir(join(hashes, level)))) ?? []) {
      const bytes = (await orUndefined(stat(join(hashes, level, name))))?.size ?? 0;
      const before = Number(name) * HASHES_PER_FILE;
      const most = ({ size }: FileHead): number =>
        HASH_BYTES * clamp(Math.floor(size / TILE_WIDTH ** Number(level)) - before, HASHES_PER_FILE);
      if (Number.isFinite(before)) found.push({ name: `hashes/${level}/${name}`, bytes, most });
    }
  return found;
}

async function tableSize({ commits }: Layout): Promise<Sized[]> {
  const bytes = (await orUndefined(stat(commits)))?.size ?? 0;
  return [{ name: 'commits', bytes, most: (head) => head.commits * ROW_BYTES }];
}

/** What follows the last committed record must be a record of the next commit, as far as it was written. */
async function behind(
  directory: string,
  log: 'entries' | 'details',
  { segment, offset }: Position,
  commit: number,
): Promise<string[]> {
  const file = await orUndefined(open(segmentPath(directory, segment), 'r'));
  if (file === undefined) return [];
  try {
    const { size } = await file.stat();
    if (size <= offset || isLeftover(await readAt(file, offset), commit)) return [];
    return [
      `${log} file ${segment} has ${size - offset} bytes behind its last record, from byte ${offset} on, which no writer left there; a start removes them`,
    ];
  } finally {
    await file.close();
  }
}

/** A kill leaves the beginning of a record, a power cut perhaps zeros. */
function isLeftover(bytes: Buffer, commit: number): boolean {
  if (bytes.every((byte) => byte === 0)) return true;
  const length = Buffer.concat([bytes, Buffer.alloc(4)]).readUInt32BE(0);
  if (length > MAX_RECORD_BYTES || (bytes.length >= 4 && length === 0)) return false;
  const header = bytes.subarray(FRAME_HEADER_BYTES);
  if (header.length < RECORD_HEADER_BYTES || header.every((byte) => byte === 0)) return true;
  return bytes.readBigUInt64BE(COMMIT_AT) === BigInt(commit);
}

async function readAt(file: FileHandle, offset: number): Promise<Buffer> {
  const bytes = Buffer.alloc(LOOKED_AT_BYTES);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
  return bytes.subarray(0, bytesRead);
}

function clamp(value: number, most: number): number {
  return Math.min(Math.max(value, 0), most);
}
