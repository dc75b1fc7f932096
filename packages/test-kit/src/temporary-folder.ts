import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that is gone after `await using`. */
export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
  /** A path inside it. */
  join(...names: string[]): string;
  remove(): Promise<void>;
}

/** Makes an empty folder below the system's folder for temporary files. */
export async function temporaryFolder(prefix = 'sentinel-test-'): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), prefix));
  // A process that is just ending may still be writing there.
  const remove = (): Promise<void> => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  return { path, join: (...names) => join(path, ...names), remove, [Symbol.asyncDispose]: remove };
}
