/** Durable writes of small files. */
import type { FileHandle } from 'node:fs/promises';
import { type Disk, nodeDisk } from './disk.js';
import { orUndefined } from './errno.js';

/** Replaces `path` by `bytes`: a reader, also after a crash of the process, sees the old content or the new. */
export async function replaceFile(disk: Disk, path: string, bytes: Uint8Array | string): Promise<void> {
  const replace = await prepareFile(disk, path, bytes);
  await replace();
}

/** The slow part of `replaceFile`; calling what it gives is the rest. */
export async function prepareFile(
  disk: Disk,
  path: string,
  bytes: Uint8Array | string,
  temporary = `${path}.tmp`,
): Promise<() => Promise<void>> {
  const file = await disk.open(temporary, 'w', 0o644);
  try {
    await file.writeFile(bytes);
  } finally {
    await file.close();
  }
  return () => disk.rename(temporary, path);
}

/** Writes and syncs a file that nobody reads yet; leaves none behind when it fails. */
export async function writeSynced(disk: Disk, path: string, bytes: Uint8Array | string, mode = 0o644): Promise<void> {
  try {
    const file = await disk.open(path, 'wx', mode);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    await disk.remove(path);
    throw error;
  }
}

/** Writes all of `bytes`: a disk that fills up takes a part of them without an error. */
export async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** Whole content; undefined where there is no such file. */
export async function readWhole(path: string, disk: Disk = nodeDisk): Promise<Buffer | undefined> {
  const file = await orUndefined(disk.open(path, 'r'));
  if (file === undefined) return undefined;
  try {
    return await file.readFile();
  } finally {
    await file.close();
  }
}
