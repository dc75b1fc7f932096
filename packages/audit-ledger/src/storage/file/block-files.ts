/** Blocks of the index as files. */
import { join } from 'node:path';
import type { BlockKeeper } from '../../index/index-store.js';
import type { Disk } from './disk.js';
import { readWhole, replaceFile } from './files.js';

export function blockFiles(directory: string, disk: Disk): BlockKeeper {
  const path = (number: number): string => join(directory, String(number).padStart(10, '0'));
  return {
    load: async (number) => await readWhole(path(number), disk),
    save: async (number, block) => await replaceFile(disk, path(number), block),
  };
}
