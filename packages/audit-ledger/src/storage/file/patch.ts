/**
 * Changes bytes in place, and only those that differ: whoever reads meanwhile, and whoever finds the file after a crash, sees of each
 * byte the damaged or the right one.
 */
import { constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Disk } from './disk.js';
import { writeAt } from './files.js';

/** Makes `path` hold `bytes` at `position`, durably; makes the file where there is none. @returns whether anything differed */
export async function patchFile(disk: Disk, path: string, position: number, bytes: Uint8Array): Promise<boolean> {
  const file = await disk.open(path, constants.O_RDWR | constants.O_CREAT, 0o640);
  try {
    const stored = Buffer.alloc(bytes.length);
    const { bytesRead } = await file.read(stored, 0, stored.length, position);
    const differing = differences(stored.subarray(0, bytesRead), bytes);
    for (const [start, end] of differing) await writeAt(file, bytes.subarray(start, end), position + start);
    if (differing.length > 0) await file.sync();
    return differing.length > 0;
  } finally {
    await file.close();
    await disk.syncDirectory(dirname(path));
  }
}

/** Stretches [start, end) of `right` that `stored` does not have. */
function differences(stored: Uint8Array, right: Uint8Array): [number, number][] {
  const found: [number, number][] = [];
  for (let at = 0; at < right.length; at += 1) {
    if (at < stored.length && stored[at] === right[at]) continue;
    const last = found.at(-1);
    if (last?.[1] === at) last[1] = at + 1;
    else found.push([at, at + 1]);
  }
  return found;
}
