/** The file system operations of the backend: an argument, so that tests can lose power or let each of them fail. */
import { type FileHandle, link, mkdir, open, readdir, rename, rm, statfs, unlink } from 'node:fs/promises';
import { type DirectoryLock, lockDirectory } from '@sentinel/service-kit/directory-lock';
import { draftPath, type SegmentFiles, segmentNumbers, segmentPath } from '@sentinel/service-kit/segment-log';
import { isErrno } from './errno.js';

export interface Disk {
  open(path: string, flags: string | number, mode?: number): Promise<FileHandle>;
  list(directory: string): Promise<string[]>;
  makeDirectory(directory: string): Promise<void>;
  /** Takes a directory for this process alone. @throws SentinelError FAILED_PRECONDITION naming who has it */
  lock(directory: string): Promise<DirectoryLock>;
  rename(from: string, to: string): Promise<void>;
  /** Fails with EEXIST where `to` exists. */
  link(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** With all that is in it; nothing where it is not there. */
  removeDirectory(directory: string): Promise<void>;
  /** Makes names in a directory durable. */
  syncDirectory(directory: string): Promise<void>;
  /** Bytes that may still be written. */
  freeBytes(directory: string): Promise<number>;
}

const SEGMENT_MODE = 0o640;
/** Of a folder in which somebody makes files meanwhile. */
const REMOVALS = 5;

export const nodeDisk: Disk = {
  open: (path, flags, mode) => open(path, flags, mode),
  list: (directory) => readdir(directory),
  makeDirectory: async (directory) => {
    await mkdir(directory, { recursive: true });
  },
  lock: lockDirectory,
  rename,
  link,
  remove: async (path) => {
    await unlink(path).catch((error: unknown) => {
      if (!isErrno(error, 'ENOENT')) throw error;
    });
  },
  removeDirectory: async (directory) => await rm(directory, { recursive: true, force: true, maxRetries: REMOVALS }),
  syncDirectory: async (directory) => {
    const handle = await open(directory, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  freeBytes: async (directory) => {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  },
};

/** The segment files of a log on this disk. */
export function segmentFilesOn(disk: Disk): SegmentFiles {
  return {
    claim: async (directory) => {
      await disk.makeDirectory(directory);
      return await disk.lock(directory);
    },
    list: async (directory) => segmentNumbers(await disk.list(directory)),
    open: (directory, segment, flags) => disk.open(segmentPath(directory, segment), flags, SEGMENT_MODE),
    remove: (directory, segment) => disk.remove(segmentPath(directory, segment)),
    openDraft: (directory, segment) => disk.open(draftPath(directory, segment), 'w', SEGMENT_MODE),
    replace: (directory, segment) => disk.rename(draftPath(directory, segment), segmentPath(directory, segment)),
    syncDirectory: (directory) => disk.syncDirectory(directory),
  };
}
