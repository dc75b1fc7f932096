/** Durable file writes. */
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Replaces `path` by `bytes`: a reader, also after a crash, sees the old content or the new. */
export async function replaceFile(path: string, bytes: Uint8Array | string, mode = 0o644): Promise<void> {
  const temporary = `${path}.tmp`;
  await writeSynced(temporary, bytes, mode);
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

/** Writes and syncs a file that nobody reads yet; leaves none behind when it fails. */
export async function writeSynced(path: string, bytes: Uint8Array | string, mode = 0o644): Promise<void> {
  try {
    const file = await open(path, 'w', mode);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}

/** Undefined where there is no such file. */
export async function orUndefined<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
