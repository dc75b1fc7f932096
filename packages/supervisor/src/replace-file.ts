import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';

/** Replaces a file whole or not at all. `mode` 0o600 = for its owner alone. */
export function replaceFile(file: string, text: string, mode = 0o644): void {
  const partial = `${file}.${process.pid}.partial`;
  const fd = openSync(partial, 'w', mode);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(partial, file);
}
