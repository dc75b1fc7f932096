import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';

/** The folder that `path` leads to: what lies beside a log lies beside that, by whatever name the log is reached. */
export function dataFolder(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // Not made yet: nothing leads elsewhere.
    return resolve(path);
  }
}
