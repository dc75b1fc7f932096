import { type FileHandle, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type DirectoryLock, lockDirectory } from '../directory-lock.js';

const NAME = /^([0-9]{10})\.seg$/;

/** The file system operations of a log: an argument, so that tests can let each of them fail. */
export interface SegmentFiles {
  /** Makes the directory if need be and takes it for this process alone. */
  claim(dir: string): Promise<DirectoryLock>;
  list(dir: string): Promise<number[]>;
  open(dir: string, segment: number, flags: 'r' | 'r+' | 'wx+'): Promise<FileHandle>;
  remove(dir: string, segment: number): Promise<void>;
  /** Makes a file, beside those of the log, that `replace` puts in the place of a segment. */
  openDraft(dir: string, segment: number): Promise<FileHandle>;
  replace(dir: string, segment: number): Promise<void>;
  /** Makes creation and removal of files durable. */
  syncDirectory(dir: string): Promise<void>;
}

/** A name that `list` passes over. */
export function draftPath(dir: string, segment: number): string {
  return `${segmentPath(dir, segment)}.draft`;
}

export function segmentPath(dir: string, segment: number): string {
  return join(dir, `${String(segment).padStart(10, '0')}.seg`);
}

/** Numbers of the segments among the names of a directory, in order. */
export function segmentNumbers(names: readonly string[]): number[] {
  const numbers = names.map((name) => NAME.exec(name)?.[1]).filter((text) => text !== undefined);
  return numbers.map(Number).sort((a, b) => a - b);
}

export const nodeFiles: SegmentFiles = {
  claim: async (dir) => {
    await mkdir(dir, { recursive: true });
    return await lockDirectory(dir);
  },
  list: async (dir) => segmentNumbers(await readdir(dir)),
  open: (dir, segment, flags) => open(segmentPath(dir, segment), flags, 0o640),
  remove: (dir, segment) => unlink(segmentPath(dir, segment)),
  openDraft: (dir, segment) => open(draftPath(dir, segment), 'w', 0o640),
  replace: (dir, segment) => rename(draftPath(dir, segment), segmentPath(dir, segment)),
  syncDirectory: async (dir) => {
    const handle = await open(dir, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};
